/** Which part of a long text is looked at: `[start, end]`, as in `slice`. */
export type Range = readonly [start: number, end: number];

/**
 * At most `size` of `length` elements, with the chosen one among them. It moves by half its size, so that choosing the neighbour does mostly not change it.
 */
export function windowAround(chosen: number, length: number, size: number): Range {
  if (length <= size) return [0, length];
  const half = Math.max(1, Math.floor(size / 2));
  const start = Math.floor(chosen / half) * half - Math.floor(half / 2);
  const first = Math.max(0, Math.min(start, length - size));
  return [first, first + size];
}

/** How many rows of so many columns may be copied from the worker at once: 4 MiB. */
export function rowsOf(columns: number, most = 64): number {
  return Math.max(1, Math.min(most, Math.floor(2 ** 20 / columns)));
}
