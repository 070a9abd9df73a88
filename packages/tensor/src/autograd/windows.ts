// What the windows that views are on a storage have in common. Strides are never negative.
import type { View } from "../backends/backend.ts";
import { sizeOf } from "../shape.ts";

type Window = Pick<View, "shape" | "strides" | "offset">;

/** Whether every element that the view shows is another one. (Says no of some rare views of which it is true.) */
export function isInjective({ shape, strides }: Window): boolean {
  if (shape.includes(0)) return true;
  const steps = shape.map((size, axis) => ({ size, stride: strides[axis]! })).filter(({ size }) => size > 1);
  let reach = 0;
  for (const { size, stride } of steps.sort((a, b) => a.stride - b.stride)) {
    if (stride <= reach) return false;
    reach += (size - 1) * stride;
  }
  return true;
}

/** Whether the view shows each element of its storage, once. */
export function isWhole(view: View): boolean {
  return sizeOf(view.shape) === view.storage.length && isInjective(view);
}

/** Whether two views of one shape have each element at the same place of their storages. */
export function sameLayout(a: Window, b: Window): boolean {
  return a.offset === b.offset && a.shape.every((size, axis) => size <= 1 || a.strides[axis] === b.strides[axis]);
}

/** Whether no element is shown by both of two views of one storage. (Says no of some of which it is true.) */
export function areDisjoint(a: Window, b: Window): boolean {
  if (apart([a.offset, a.offset + extent(a)], [b.offset, b.offset + extent(b)])) return true;
  // Columns side by side: rows of both begin a common stride apart, and lie in different parts of it.
  const row = Math.max(...a.strides, 1);
  if (Math.max(...b.strides, 1) !== row) return false;
  const within = (window: Window): readonly [number, number] => {
    const start = window.offset % row;
    return [start, start + extent(window, row)];
  };
  const [first, second] = [within(a), within(b)];
  return first[1] < row && second[1] < row && apart(first, second);
}

/** From a view's first to its last element, along axes of a stride below `limit`. */
function extent({ shape, strides }: Window, limit = Number.POSITIVE_INFINITY): number {
  return shape.reduce((sum, size, axis) => (strides[axis]! < limit ? sum + (size - 1) * strides[axis]! : sum), 0);
}

function apart(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[1] < b[0] || b[1] < a[0];
}
