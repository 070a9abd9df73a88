import type { View } from "../backends/backend.ts";
import { ShapeMismatchError } from "../errors.ts";
import { broadcastStrides, normalizeAxis, showShape, sizeOf } from "../shape.ts";
import { expectNumbers } from "./checks.ts";

// Functions that return another view of the same memory. None of them runs an op.

/** The view with some of its fields replaced. */
function derive<D extends View["dtype"]>(
  { storage, dtype }: View<D>,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): View<D> {
  return { storage, dtype, shape, strides, offset };
}

/** A view with two axes exchanged. */
export function transpose(x: View, a: number, b: number): View {
  const rank = x.shape.length;
  const first = normalizeAxis("transpose", a, rank);
  const second = normalizeAxis("transpose", b, rank);
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  axes[first] = second;
  axes[second] = first;
  return permute(x, axes);
}

/** A view whose axis `i` is axis `axes[i]` of x. */
export function permute(x: View, axes: readonly number[]): View {
  expectNumbers("permute", "axes", axes, "[1, 0]");
  const rank = x.shape.length;
  const normal = axes.map((axis) => normalizeAxis("permute", axis, rank));
  if (new Set(normal).size !== rank || normal.length !== rank) {
    throw new ShapeMismatchError(
      "permute",
      `axes ${showShape(axes)} do not name each axis of ${showShape(x.shape)} once`,
    );
  }
  return derive(
    x,
    normal.map((axis) => x.shape[axis]!),
    normal.map((axis) => x.strides[axis]!),
    x.offset,
  );
}

/**
 * A view of the indices start, start + step, … below end along an axis. Negative start and end count from the axis's end,
 * and both are clamped to it, as in Python. `step` must be a positive integer.
 */
export function slice(x: View, axis: number, start = 0, end?: number, step = 1): View {
  const along = normalizeAxis("slice", axis, x.shape.length);
  const size = x.shape[along]!;
  if (!Number.isInteger(step) || step < 1) {
    throw new ShapeMismatchError("slice", `step must be a positive integer, got ${step}`);
  }
  const from = clampedIndex(start, size);
  const to = Math.max(from, clampedIndex(end ?? size, size));
  const length = Math.ceil((to - from) / step);
  return derive(
    x,
    x.shape.with(along, length),
    x.strides.with(along, x.strides[along]! * step),
    length === 0 ? x.offset : x.offset + from * x.strides[along]!,
  );
}

function clampedIndex(index: number, size: number): number {
  if (!Number.isInteger(index) && Math.abs(index) !== Infinity) {
    throw new ShapeMismatchError("slice", `start and end must be integers, got ${index}`);
  }
  return Math.min(Math.max(index < 0 ? index + size : index, 0), size);
}

/** A view of one index along an axis, which disappears; a negative index counts from the end. */
export function select(x: View, axis: number, index: number): View {
  const along = normalizeAxis("select", axis, x.shape.length);
  const size = x.shape[along]!;
  const normal = index < 0 ? index + size : index;
  if (!Number.isInteger(index) || normal < 0 || normal >= size) {
    throw new ShapeMismatchError("select", `index ${index} is outside axis ${along} of ${showShape(x.shape)}`);
  }
  return derive(x, x.shape.toSpliced(along, 1), x.strides.toSpliced(along, 1), x.offset + normal * x.strides[along]!);
}

/** Views of consecutive pieces of the given sizes along an axis, which they must fill. */
export function split(x: View, sizes: readonly number[], axis: number): View[] {
  expectNumbers("split", "sizes", sizes, "[2, 1]");
  const along = normalizeAxis("split", axis, x.shape.length);
  const size = x.shape[along]!;
  const total = sizes.reduce((sum, piece) => sum + piece, 0);
  if (total !== size || !sizes.every((piece) => Number.isInteger(piece) && piece >= 0)) {
    throw new ShapeMismatchError(
      "split",
      `sizes ${showShape(sizes)} do not add up to ${size}, axis ${along} of ${showShape(x.shape)}`,
    );
  }
  let start = 0;
  return sizes.map((piece) => {
    start += piece;
    return slice(x, along, start - piece, start);
  });
}

/** A view without an axis, which must have size one. */
export function squeeze(x: View, axis: number): View {
  const along = normalizeAxis("squeeze", axis, x.shape.length);
  if (x.shape[along] !== 1) {
    throw new ShapeMismatchError("squeeze", `axis ${along} of ${showShape(x.shape)} has size ${x.shape[along]}, not 1`);
  }
  return select(x, along, 0);
}

/** A view with a new axis of size one at `axis` of the result; -1 puts it last. */
export function unsqueeze(x: View, axis: number): View {
  const along = normalizeAxis("unsqueeze", axis, x.shape.length + 1);
  const stride = along < x.shape.length ? x.shape[along]! * x.strides[along]! : 1;
  return derive(x, x.shape.toSpliced(along, 0, 1), x.strides.toSpliced(along, 0, stride), x.offset);
}

/** A view that repeats axes of size one, and new leading axes, up to `shape`; -1 keeps an axis's size. */
export function expand(x: View, shape: readonly number[]): View {
  expectNumbers("expand", "shape", shape, "[2, 3]");
  const lead = shape.length - x.shape.length;
  const target = shape.map((dim, axis) => (dim === -1 && axis >= lead ? x.shape[axis - lead]! : dim));
  const fits =
    lead >= 0 &&
    target.every((dim) => Number.isInteger(dim) && dim >= 0) &&
    x.shape.every((dim, axis) => dim === 1 || dim === target[lead + axis]);
  if (!fits) throw new ShapeMismatchError("expand", `${showShape(x.shape)} does not broadcast to ${showShape(shape)}`);
  return derive(x, target, broadcastStrides(x.shape, x.strides, target), x.offset);
}

/** A view of the diagonal of the last two axes, which become one: `out[…, i] = x[…, i, i + offset]`. */
export function diagonal(x: View, offset: number): View {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const [rowStep, columnStep] = x.strides.slice(-2) as [number, number];
  const start = offset < 0 ? -offset * rowStep : offset * columnStep;
  const length = Math.max(0, offset < 0 ? Math.min(rows + offset, columns) : Math.min(rows, columns - offset));
  return derive(
    x,
    [...x.shape.slice(0, -2), length],
    [...x.strides.slice(0, -2), rowStep + columnStep],
    length === 0 ? x.offset : x.offset + start,
  );
}

/** A view of all windows of `size` elements along an axis, `step` apart; a window's elements become the last axis. */
export function unfold(x: View, axis: number, size: number, step: number): View {
  const along = normalizeAxis("unfold", axis, x.shape.length);
  const length = x.shape[along]!;
  if (!Number.isInteger(size) || size < 1 || size > length || !Number.isInteger(step) || step < 1) {
    throw new ShapeMismatchError(
      "unfold",
      `no windows of ${size}, ${step} apart, in axis ${along} of ${showShape(x.shape)}: expected whole numbers from 1`,
    );
  }
  const stride = x.strides[along]!;
  return derive(
    x,
    [...x.shape.with(along, Math.floor((length - size) / step) + 1), size],
    [...x.strides.with(along, stride * step), stride],
    x.offset,
  );
}

/** A view with the axes that have one name made one, their diagonal; in the order in which the names first appear. */
export function namedAxes(x: View, names: readonly string[]): { readonly view: View; readonly names: string[] } {
  const distinct = [...new Set(names)];
  const sizes = distinct.map((name) => x.shape[names.indexOf(name)]!);
  const strides = distinct.map((name) =>
    names.reduce((sum, other, axis) => (other === name ? sum + x.strides[axis]! : sum), 0),
  );
  return { view: derive(x, sizes, strides, x.offset), names: distinct };
}

/** A view of as many elements in another shape, or undefined where no strides can express it. */
export function reshapeView<D extends View["dtype"]>(x: View<D>, shape: readonly number[]): View<D> | undefined {
  if (sizeOf(shape) === 0)
    return derive(
      x,
      shape,
      shape.map(() => 0),
      x.offset,
    );
  // Old axes of size one do not matter. The others fall into groups, each the product of a group of new axes; within a
  // group the old axes must lie row-major.
  const old = x.shape.map((dim, axis) => ({ dim, stride: x.strides[axis]! })).filter(({ dim }) => dim !== 1);
  const strides = new Array<number>(shape.length);
  let from = 0;
  let to = 0;
  while (to < shape.length) {
    const first = to;
    let wanted = shape[to++]!;
    let taken = 1;
    let last: number | undefined;
    while (taken !== wanted) {
      if (taken < wanted) {
        const { dim, stride } = old[from++]!;
        if (last !== undefined && last !== dim * stride) return undefined;
        last = stride;
        taken *= dim;
      } else {
        wanted *= shape[to++]!;
      }
    }
    let stride = last ?? 1;
    for (let axis = to - 1; axis >= first; axis--) {
      strides[axis] = stride;
      stride *= shape[axis]!;
    }
  }
  return derive(x, shape, strides, x.offset);
}
