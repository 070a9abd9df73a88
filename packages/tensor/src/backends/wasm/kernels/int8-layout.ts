// Matrices of 8-bit integers: panels of 8 columns, each a sequence of groups of rows. A group is
//   [rows / 4] quads of 4 rows × 8 columns i8, missing rows zero; [8 columns] f32 scales; [8 columns] i16 sums of integers.
// Its elements are integer × scale. A quad lies in one of two orders: [2 pairs of rows][8 columns][2 rows] for the kernels
// that multiply 16-bit words, [8 columns][4 rows] for those that multiply bytes. ../panels.ts states the sizes too, and
// docs/quantization.md the scheme.

/** Bytes of four rows of a panel. */
export const QUAD: usize = 32;
/** Bytes of a group's scales, and of its sums behind them. */
export const SCALES: usize = 32;
export const SUMS: usize = 16;
/** Groups without a value of at least this, 2^-100, count as zeros: their scale would leave the range of float32. */
export const TINY: f32 = 7.888609052210118e-31;

/** Bytes of the integers of so many rows of a panel. */
// @ts-expect-error: decorator
@inline
export function quadBytes(rows: i32): usize {
  return <usize>((rows + 3) >> 2) * QUAD;
}

/** Bytes from one panel to the next. */
// @ts-expect-error: decorator
@inline
export function panelBytes(rows: i32, group: i32): usize {
  return quadBytes(rows) + <usize>((rows + group - 1) / group) * (SCALES + SUMS);
}

/** Where in its quad the integer of a row and a column of the panel is. */
// @ts-expect-error: decorator
@inline
export function inQuad(row: i32, column: i32, bytes: bool): usize {
  return bytes ? (column << 2) + (row & 3) : ((row & 2) << 3) + (column << 1) + (row & 1);
}
