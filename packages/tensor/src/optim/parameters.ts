import { OptionError, showValue } from "../options.ts";
import { showShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/** A tensor that an optimizer changes. */
export interface Parameter {
  /** The keys that lead to it, joined by points: `h.0.ln1.weight`. */
  readonly path: string;
  readonly tensor: Tensor;
}

/**
 * The tensors at the leaves of a nest of arrays and plain objects, each memory once: an output layer that is the token embeddings
 * again is one parameter.
 *
 * @throws TypeError for a leaf that is no float32 tensor, or that shares a part of its memory with another; {@link OptionError} for a
 *   packed matrix, which cannot be written to
 */
export function parametersOf(of: string, weights: object): Parameter[] {
  const found = new Map<object, Parameter>();
  for (const [path, tensor] of leavesOf(of, weights)) {
    if (tensor.storage.packed !== undefined) {
      throw new OptionError(
        "weights",
        `${path} is a packed matrix, which cannot be trained: load or make it without pack()`,
      );
    }
    const known = found.get(tensor.storage);
    if (known === undefined) found.set(tensor.storage, { path, tensor });
    else if (!isSameWindow(known.tensor, tensor)) {
      throw new TypeError(`${of}: ${path} and ${known.path} are different views of the same memory`);
    }
  }
  return [...found.values()];
}

/** The tensor of each path; one that is there twice comes twice. */
export function leavesOf(of: string, weights: object): Map<string, Tensor> {
  const leaves = new Map<string, Tensor>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (value instanceof Tensor) {
      if (value.dtype !== "float32") {
        throw new TypeError(
          `${of}: ${path.join(".") || "the tensor"} is ${value.dtype}; only float32 tensors can be trained`,
        );
      }
      leaves.set(path.join("."), value as Tensor);
    } else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    } else
      throw new TypeError(
        `${of}: expected tensors in arrays and objects, got ${showValue(value)} at ${path.join(".")}`,
      );
  };
  walk(weights, []);
  return leaves;
}

/** The gradient of each parameter. Throws a TypeError for one that is missing or has another shape. */
export function* withGradients<P extends Parameter>(
  of: string,
  parameters: readonly P[],
  gradients: object,
): Generator<readonly [P, Tensor]> {
  const leaves = leavesOf(of, gradients);
  for (const parameter of parameters) {
    const { path, tensor } = parameter;
    const gradient = leaves.get(path);
    if (gradient === undefined) throw new TypeError(`${of}: there is no gradient for ${path}`);
    if (gradient.shape.length !== tensor.shape.length || gradient.shape.some((size, i) => size !== tensor.shape[i])) {
      throw new TypeError(
        `${of}: the gradient of ${path} is ${showShape(gradient.shape)}; expected ${showShape(tensor.shape)}`,
      );
    }
    yield [parameter, gradient];
  }
}

function isSameWindow(a: Tensor, b: Tensor): boolean {
  const same = (left: readonly number[], right: readonly number[]): boolean =>
    left.length === right.length && left.every((value, i) => value === right[i]);
  return a.offset === b.offset && same(a.shape, b.shape) && same(a.strides, b.strides);
}
