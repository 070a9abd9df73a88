// Matrices in bfloat16, the upper halves of float32: panels of 8 columns (panels.ts), each row 16 bytes. Word i of a row
// holds column i in its lower half and column i + 4 in its upper half, so that a shift and a mask make floats of them.
import { chunkCount, chunkStart, int, pointer } from "./control";

/** Kept in memory: V8 builds a constant vector anew, in three instructions, each time that a loop uses it. */
const UPPER_HALVES = memory.data<u32>([0xffff0000]);

/** The mask that {@link high} takes, to be loaded ahead of a loop. */
// @ts-expect-error: decorator
@inline
export function upperHalves(): v128 {
  return v128.load32_splat(UPPER_HALVES);
}

/** Columns 0 to 3 of a panel's row. */
// @ts-expect-error: decorator
@inline
export function low(row: v128): v128 {
  return i32x4.shl(row, 16);
}

/** Columns 4 to 7 of a panel's row. */
// @ts-expect-error: decorator
@inline
export function high(row: v128, upper: v128): v128 {
  return v128.and(row, upper);
}

/** Four floats to the nearest bfloat16, ties to even, as float32 bits whose lower halves are anything; NaN stays NaN. */
// @ts-expect-error: decorator
@inline
export function roundToBf16(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd);
  return v128.bitselect(rounded, v128.or(x, i32x4.splat(0x400000)), f32x4.eq(x, x));
}

/** Panels of floats → panels of bfloat16. Ints: source, target, rows of all panels together. Split by rows. */
export function encodeBf16Job(chunk: i32): void {
  const chunks = chunkCount();
  const row = <usize>chunkStart(chunk, chunks, int(2));
  const end = <usize>chunkStart(chunk + 1, chunks, int(2));
  let from = pointer(0) + (row << 5);
  let to = pointer(1) + (row << 4);
  const upper = upperHalves();
  for (const stop = pointer(1) + (end << 4); to < stop; to += 16, from += 32) {
    const first = roundToBf16(v128.load(from));
    const second = roundToBf16(v128.load(from, 16));
    v128.store(to, v128.or(i32x4.shr_u(first, 16), high(second, upper)));
  }
}

/** Panels of bfloat16 → panels of floats. Ints as above. */
export function decodeBf16Job(chunk: i32): void {
  const chunks = chunkCount();
  const row = chunkStart(chunk, chunks, int(2));
  const end = chunkStart(chunk + 1, chunks, int(2));
  decodeBf16(pointer(0) + (<usize>row << 4), end - row, pointer(1) + (<usize>row << 5));
}

/** `rows` rows of a panel as floats. */
export function decodeBf16(from: usize, rows: i32, to: usize): void {
  const upper = upperHalves();
  for (const stop = from + (<usize>rows << 4); from < stop; from += 16, to += 32) {
    const row = v128.load(from);
    v128.store(to, low(row));
    v128.store(to, high(row, upper), 16);
  }
}

/** The float at (row, column) of a packed matrix of `rows` rows. */
// @ts-expect-error: decorator
@inline
export function bf16At(base: usize, rows: i32, row: i32, column: i32): f32 {
  const at = base + ((<usize>(column >> 3) * <usize>rows + <usize>row) << 4);
  return reinterpret<f32>(<u32>load<u16>(at + (<usize>(column & 3) << 2) + (<usize>(column & 4) >> 1)) << 16);
}
