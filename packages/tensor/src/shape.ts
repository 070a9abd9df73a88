import { ShapeMismatchError } from "./errors.ts";

/** Number of elements of a tensor of this shape (1 for a scalar). */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
}

/** Strides, in elements, of a row-major tensor of this shape. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Whether elements lie row-major without gaps; axes of size one do not count, nor does an empty tensor. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dim = shape[axis]!;
    if (dim === 0) return true;
    if (dim !== 1 && strides[axis] !== expected) return false;
    expected *= dim;
  }
  return true;
}

/** NumPy's broadcasting: shapes align at their last axis, and a dimension of one stretches. */
export function broadcastShapes(op: string, ...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const lead = rank - shape.length;
    for (let axis = 0; axis < shape.length; axis++) {
      const dim = shape[axis]!;
      const sofar = result[lead + axis]!;
      if (dim === sofar || dim === 1) continue;
      if (sofar !== 1) {
        throw new ShapeMismatchError(
          op,
          `shapes ${shapes.map(showShape).join(" and ")} do not broadcast: sizes ${sofar} and ${dim} differ`,
        );
      }
      result[lead + axis] = dim;
    }
  }
  return result;
}

/** Strides that read a tensor as if it had the larger shape `target`: stretched axes get stride 0. */
export function broadcastStrides(
  shape: readonly number[],
  strides: readonly number[],
  target: readonly number[],
): number[] {
  const lead = target.length - shape.length;
  return target.map((dim, axis) =>
    axis < lead || (shape[axis - lead] === 1 && dim !== 1) ? 0 : strides[axis - lead]!,
  );
}

/** Turns a possibly negative axis into 0..rank-1. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (typeof axis !== "number") {
    const shown = typeof axis === "string" ? JSON.stringify(axis) : String(axis);
    throw new ShapeMismatchError(op, `an axis must be a number, got ${shown}`);
  }
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    throw new ShapeMismatchError(op, `axis ${axis} is outside a tensor of ${rank} dimensions`);
  }
  return normal;
}

/** `[2, 3]`, as shapes appear in messages. */
export function showShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
