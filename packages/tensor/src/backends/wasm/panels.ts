import type { MatrixEncoding } from "../backend.ts";

/** Columns of a panel. kernels/panels.ts states the same number. */
export const panelWidth = 8;

/**
 * How a packed matrix [rows, columns] lies in memory: panels of 8 columns; the last one is padded with zeros.
 *
 * - `f32`: a panel is `[rows][8]` floats.
 * - `bf16`: `[rows][8]` bfloat16, in the order that kernels/bf16.ts states.
 */
export interface Panels {
  readonly rows: number;
  readonly columns: number;
  readonly encoding: MatrixEncoding;
}

/** Panels of a matrix of so many columns. */
export function panelCount(columns: number): number {
  return Math.ceil(columns / panelWidth);
}

/** Bytes from one panel to the next. */
export function panelBytes({ rows, encoding }: Omit<Panels, "columns">): number {
  switch (encoding) {
    case "f32":
      return rows * panelWidth * 4;
    case "bf16":
      return rows * panelWidth * 2;
  }
}
