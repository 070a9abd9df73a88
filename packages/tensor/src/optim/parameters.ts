import { tensorsIn } from "../autograd/weights.ts";
import { OptionError } from "../options.ts";
import { showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor that an optimizer changes. */
export interface Parameter {
  /** How it is reached: `h[0].ln1.weight`. */
  readonly path: string;
  readonly tensor: Tensor;
}

/**
 * The tensors at the leaves of a nest of arrays and plain objects, each memory once: an output layer that is the token embeddings
 * again is one parameter.
 *
 * @param of the function, for messages
 * @throws TypeError for a leaf that is no float32 tensor, or another view of the memory of one, and if there are none;
 *   {@link OptionError} for a packed matrix, which cannot be written to
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
  if (found.size === 0) throw new TypeError(`${of}: there are no tensors in what was given`);
  return [...found.values()];
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

/** The tensor of each path; one that is there twice comes twice. */
function leavesOf(of: string, nest: object): Map<string, Tensor> {
  const check = ({ dtype }: { readonly dtype: string }, path: string): void => {
    if (dtype !== "float32") throw new TypeError(`${of}: ${path} is ${dtype}; only float32 tensors can be trained`);
  };
  const leaves = tensorsIn(nest, "weights", check, of);
  return new Map(leaves.map(({ path, view }) => [path.replace(/^weights\.?(?=.)/, ""), view as Tensor]));
}

function isSameWindow(a: Tensor, b: Tensor): boolean {
  const same = (left: readonly number[], right: readonly number[]): boolean =>
    left.length === right.length && left.every((value, i) => value === right[i]);
  return a.offset === b.offset && same(a.shape, b.shape) && same(a.strides, b.strides);
}
