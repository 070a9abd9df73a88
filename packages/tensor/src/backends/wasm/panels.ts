import { INT8_GROUP, type MatrixEncoding } from "../backend.ts";

/** Columns of a panel. kernels/panels.ts states the same number. */
export const panelWidth = 8;

/**
 * How a packed matrix [rows, columns] lies in memory: panels of 8 columns; the last one is padded with zeros.
 *
 * - `f32`: a panel is `[rows][8]` floats.
 * - `bf16`: `[rows][8]` bfloat16, in the order that kernels/bf16.ts states.
 * - `int8`: groups of {@link INT8_GROUP} rows, each integers, scales and sums, as kernels/int8-layout.ts states.
 */
export interface Panels {
  readonly rows: number;
  readonly columns: number;
  readonly encoding: MatrixEncoding;
  /** Of `int8`: whether the integers lie in the order of the kernels that multiply bytes, not 16-bit words. */
  readonly bytes: boolean;
}

/** Bytes of the scales and sums of a group, for a panel's columns. */
const GROUP_EXTRA = panelWidth * (4 + 2);

/** Panels of a matrix of so many columns. */
export function panelCount(columns: number): number {
  return Math.ceil(columns / panelWidth);
}

/** Bytes from one panel to the next. */
export function panelBytes({ rows, encoding }: Pick<Panels, "rows" | "encoding">): number {
  switch (encoding) {
    case "f32":
      return rows * panelWidth * 4;
    case "bf16":
      return rows * panelWidth * 2;
    case "int8":
      return Math.ceil(rows / 4) * 4 * panelWidth + Math.ceil(rows / INT8_GROUP) * GROUP_EXTRA;
  }
}
