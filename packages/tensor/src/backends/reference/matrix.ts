import type { CpuView } from "../backend.ts";

/** A matrix by its elements, size and steps in elements. */
export interface Matrix {
  readonly data: Float32Array;
  readonly start: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** The last two axes of a view, from element number `start` on. */
export function matrix({ data, shape, strides }: CpuView, start: number): Matrix {
  const rank = shape.length;
  return {
    data: data as Float32Array,
    start,
    rows: shape[rank - 2]!,
    columns: shape[rank - 1]!,
    rowStep: strides[rank - 2]!,
    columnStep: strides[rank - 1]!,
  };
}
