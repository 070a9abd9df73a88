// Sums over many rows, or over all elements, in an order that does not depend on the number of threads.
import { BLOCK, SQUARES_AT_ONCE } from "../../abi";
import { chunkCount, chunkStart, int, pointer } from "../control";
import { loadDoubles, sumOfSquaredDeviations } from "../sums";

/**
 * out[c] = Σ x[row, c]: blocks of BLOCK rows are summed in float64, and their sums, rounded, added in order. Ints: x, bytes from one
 * row to the next, out, rows, columns. Split by columns.
 */
export function columnSumsJob(chunk: i32): void {
  const columns = int(4);
  const groups = (columns + 7) >> 3;
  const end = chunkStart(chunk + 1, chunkCount(), groups);
  for (let group = chunkStart(chunk, chunkCount(), groups); group < end; group++) {
    const column = group << 3;
    if (column + 8 <= columns) sumEight(column);
    else for (let c = column; c < columns; c++) sumOne(c);
  }
}

function sumEight(column: i32): void {
  const rows = int(3);
  const step = pointer(1);
  const out = pointer(2) + (<usize>column << 2);
  let x = pointer(0) + (<usize>column << 2);
  let low = f32x4.splat(0);
  let high = f32x4.splat(0);
  for (let start = 0; start < rows; start += BLOCK) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    for (let row = min(BLOCK, rows - start); row > 0; row--, x += step) {
      a = f64x2.add(a, loadDoubles(x));
      b = f64x2.add(b, loadDoubles(x + 8));
      c = f64x2.add(c, loadDoubles(x + 16));
      d = f64x2.add(d, loadDoubles(x + 24));
    }
    low = f32x4.add(low, toFloats(a, b));
    high = f32x4.add(high, toFloats(c, d));
  }
  v128.store(out, low);
  v128.store(out, high, 16);
}

function sumOne(column: i32): void {
  const rows = int(3);
  const step = pointer(1);
  let x = pointer(0) + (<usize>column << 2);
  let sum: f32 = 0;
  for (let start = 0; start < rows; start += BLOCK) {
    let block: f64 = 0;
    for (let row = min(BLOCK, rows - start); row > 0; row--, x += step) block += <f64>load<f32>(x);
    sum += <f32>block;
  }
  store<f32>(pointer(2) + (<usize>column << 2), sum);
}

/** Four doubles, two in each, as floats. */
// @ts-expect-error: decorator
@inline
export function toFloats(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** sums[i] = Σ x² in float64 of the elements from i · SQUARES_AT_ONCE on. Ints: x, elements, sums. Split by these pieces. */
export function squaresJob(chunk: i32): void {
  const count = int(1);
  const pieces = (count + SQUARES_AT_ONCE - 1) / SQUARES_AT_ONCE;
  const end = chunkStart(chunk + 1, chunkCount(), pieces);
  for (let piece = chunkStart(chunk, chunkCount(), pieces); piece < end; piece++) {
    const first = piece * SQUARES_AT_ONCE;
    const sum = sumOfSquaredDeviations(pointer(0) + (<usize>first << 2), min(SQUARES_AT_ONCE, count - first), 0);
    store<f64>(pointer(2) + (<usize>piece << 3), sum);
  }
}
