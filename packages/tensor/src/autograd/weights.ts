import type { View } from "../backends/backend.ts";
import type { DType } from "../dtype.ts";
import { DisposedError, GradientError } from "../errors.ts";
import { showValue } from "../options.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";
import type { Shape } from "../types/shape-types.ts";
import type { Parameter } from "./tape.ts";
import { isInjective } from "./windows.ts";

/** The gradients by weights of type `W`: float32 tensors of the same shapes, in the same structure. */
export type GradientsOf<W> =
  W extends Tensor<infer S extends Shape, DType> ? Tensor<S> : { [K in keyof W]: GradientsOf<W[K]> };

/**
 * The tensors in a nest of arrays and plain objects, in order; undefined stands for what is not there.
 *
 * @throws TypeError for anything else in it, GradientError for a tensor that cannot be trained
 */
export function leavesOf(weights: unknown): Parameter[] {
  return tensorsIn(weights, "weights", checkParameter);
}

/** The same structure with `leaves`, in order, in its tensors' places. */
export function withLeaves(weights: unknown, leaves: readonly AnyTensor[]): unknown {
  let next = 0;
  const build = (node: unknown): unknown => {
    if (node === undefined) return undefined;
    if (isTensor(node)) return leaves[next++];
    if (Array.isArray(node)) return node.map(build);
    return Object.fromEntries(Object.entries(node as object).map(([key, value]) => [key, build(value)]));
  };
  return build(weights);
}

/** Visits the tensors in a nest of arrays and plain objects. */
export function tensorsIn(
  nest: unknown,
  name: string,
  check: (view: View, path: string) => void = () => {},
  of = "valueAndGrad",
): Parameter[] {
  const found: Parameter[] = [];
  const walk = (node: unknown, path: string): void => {
    if (node === undefined) return;
    if (isTensor(node)) {
      if (node.disposed) throw new DisposedError();
      check(node as View, path);
      found.push({ path, view: node as View });
    } else if (Array.isArray(node)) {
      for (const [i, item] of node.entries()) walk(item, `${path}[${i}]`);
    } else if (isPlainObject(node)) {
      for (const [key, value] of Object.entries(node)) walk(value, `${path}.${key}`);
    } else {
      throw new TypeError(`${of}: expected tensors, in arrays and plain objects, got ${showValue(node)} as ${path}`);
    }
  };
  walk(nest, name);
  return found;
}

function checkParameter(view: View, path: string): void {
  const wrong =
    view.dtype !== "float32"
      ? `must be float32, got ${view.dtype}`
      : view.storage.packed
        ? "is a packed matrix, which cannot be trained; leave it unpacked"
        : !isInjective(view)
          ? "repeats elements, so that they have no gradients of their own; give the tensor that it is a view of"
          : undefined;
  if (wrong !== undefined) throw new GradientError("valueAndGrad", `${path} ${wrong}`);
}

function isTensor(value: unknown): value is AnyTensor {
  return (value as View | null | undefined)?.storage !== undefined;
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
