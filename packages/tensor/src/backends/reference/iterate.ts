import { sizeOf } from "../../shape.ts";

/** How to walk a view: where it starts and how far apart its elements are. */
export interface Walk {
  readonly offset: number;
  readonly strides: readonly number[];
}

/**
 * Visits every index tuple of `shape` in row-major order, with the element number of each walk there. A walk may have
 * more strides than `shape` has axes; those further axes stay at index 0. `at` is reused between visits.
 */
export function forEachIndex(
  shape: readonly number[],
  walks: readonly Walk[],
  visit: (at: readonly number[]) => void,
): void {
  if (sizeOf(shape) === 0) return;
  const index = new Array<number>(shape.length).fill(0);
  const at = walks.map(({ offset }) => offset);
  let axis: number;
  do {
    visit(at);
    for (axis = shape.length - 1; axis >= 0; axis--) {
      const next = index[axis]! + 1;
      const wraps = next === shape[axis];
      index[axis] = wraps ? 0 : next;
      const steps = wraps ? 1 - next : 1;
      for (let w = 0; w < walks.length; w++) at[w]! += steps * walks[w]!.strides[axis]!;
      if (!wraps) break;
    }
  } while (axis >= 0);
}

/**
 * Visits every row (the last axis) of `shape` in row-major order: element `c` of the row is number `at[w] + c·step[w]` of
 * walk `w`. A scalar is one row of one element.
 */
export function forEachRow(
  shape: readonly number[],
  walks: readonly Walk[],
  visit: (at: readonly number[], length: number, step: readonly number[]) => void,
): void {
  const last = shape.length - 1;
  const length = last < 0 ? 1 : shape[last]!;
  const step = walks.map(({ strides }) => (last < 0 ? 0 : strides[last]!));
  forEachIndex(shape.slice(0, -1), walks, (at) => visit(at, length, step));
}
