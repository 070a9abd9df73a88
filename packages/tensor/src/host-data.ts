import type { View } from "./backends/backend.ts";
import { type DataOf, type DType, newData } from "./dtype.ts";
import { ShapeMismatchError } from "./errors.ts";
import { showValue } from "./options.ts";
import { isContiguous, sizeOf } from "./shape.ts";
import { typedArrayName } from "./typed-array.ts";
import type { NestedArray } from "./types/reshape.ts";

/** A row-major copy of the elements that `view` shows: fresh, or in `into`, which must have the same length. */
export function rowMajor<D extends DType>(data: DataOf[D], view: View<D>, into?: DataOf[D]): DataOf[D] {
  const { shape, strides, offset } = view;
  const size = sizeOf(shape);
  if (isContiguous(shape, strides)) {
    if (!into) return data.slice(offset, offset + size) as DataOf[D];
    into.set(data.subarray(offset, offset + size));
    return into;
  }
  const result = into ?? newData(view.dtype, size);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let to = 0; to < size; to++) {
    result[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Throws {@link ShapeMismatchError} unless `into` fits the elements of a tensor of this type and shape. */
export function checkTarget<D extends DType>(into: DataOf[D], dtype: D, shape: readonly number[]): void {
  const size = sizeOf(shape);
  const expected = newData(dtype, 0).constructor.name;
  const found = typedArrayName(into);
  if (found === expected && into.length === size) return;
  const got = found === undefined ? showValue(into) : `${found} of ${into.length}`;
  throw new ShapeMismatchError("data", `expected a ${expected} of ${size} to write to, got ${got}`);
}

/** Row-major data as nested arrays of the given shape (booleans for `bool`). */
export function nest(data: ArrayLike<number>, shape: readonly number[], dtype: DType): NestedArray {
  let next = 0;
  const build = (axis: number): NestedArray => {
    if (axis === shape.length) {
      const value = data[next++]!;
      return dtype === "bool" ? value !== 0 : value;
    }
    return Array.from({ length: shape[axis]! }, () => build(axis + 1));
  };
  return build(0);
}

/** Nested arrays flattened, with their shape. Throws {@link ShapeMismatchError} where the nesting is ragged. */
export function flatten(nested: NestedArray): { values: (number | boolean)[]; shape: number[] } {
  const shape: number[] = [];
  for (let level: NestedArray = nested; Array.isArray(level); level = level[0] as NestedArray) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const values: (number | boolean)[] = [];
  const walk = (level: NestedArray, axis: number): void => {
    if (Array.isArray(level)) {
      if (axis >= shape.length || level.length !== shape[axis]) {
        throw new ShapeMismatchError(
          "tensor",
          `ragged nesting: expected ${shape[axis] ?? "a number"} at depth ${axis}, got an array of ${level.length}`,
        );
      }
      for (const item of level) walk(item, axis + 1);
    } else {
      if (typeof level !== "number" && typeof level !== "boolean") {
        throw new TypeError(`tensor: expected numbers, or arrays of them, got ${showValue(level)}`);
      }
      if (axis !== shape.length) {
        throw new ShapeMismatchError(
          "tensor",
          `ragged nesting: expected an array of ${shape[axis]} at depth ${axis}, got ${level}`,
        );
      }
      values.push(level);
    }
  };
  walk(nested, 0);
  return { values, shape };
}
