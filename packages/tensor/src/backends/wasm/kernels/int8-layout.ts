// Matrices of 8-bit integers: panels of 8 columns, each a sequence of groups of rows. A group is
//   [rows / 4] quads of 4 rows × 8 columns i8, missing rows zero; [8 columns] f32 scales; [8 columns] i16 sums of integers.
// Its elements are integer × scale. A quad lies in one of two orders: [2 pairs of rows][8 columns][2 rows] for the kernels
// that multiply 16-bit words, [8 columns][4 rows] for those that multiply bytes. The sizes are in
// ../abi.ts, the scheme in docs/quantization.md.
import { INT8_GROUP, INT8_LARGEST } from "../../../encodings/int8-scheme";
import { INT8_BLOCK_ROWS, INT8_QUAD, INT8_SCALES, INT8_SUMS } from "../abi";

// What the kernels take for granted of a group; the build stops where it does not hold.
if (INT8_GROUP % 4 != 0) ERROR("int8: a group is made of quads of 4 rows");
if (INT8_GROUP * INT8_LARGEST > i16.MAX_VALUE) ERROR("int8: the sum of a group's integers must fit 16 bits");
if (INT8_GROUP > INT8_BLOCK_ROWS) ERROR("int8: a group must fit the room for a block of rows");

/** Bytes of the integers of so many rows of a panel. */
// @ts-expect-error: decorator
@inline
export function quadBytes(rows: i32): usize {
  return <usize>((rows + 3) >> 2) * INT8_QUAD;
}

/** Bytes from one panel to the next. */
// @ts-expect-error: decorator
@inline
export function panelBytes(rows: i32, group: i32): usize {
  return quadBytes(rows) + <usize>((rows + group - 1) / group) * (INT8_SCALES + INT8_SUMS);
}

/** Where in its quad the integer of a row and a column of the panel is. */
// @ts-expect-error: decorator
@inline
export function inQuad(row: i32, column: i32, bytes: bool): usize {
  return bytes ? (column << 2) + (row & 3) : ((row & 2) << 3) + (column << 1) + (row & 1);
}
