// The left operand of a product with 8-bit integers: each row's values, group by group, as (integer - zero) × scale, with
// integers and a zero from 0 to 255, as ONNX's DynamicQuantizeLinear has it (docs/quantization.md).
//
// For rows taken R at a time (4, or 1 for a single row) they lie as words, [tiles][columns / 2][R][2] i16 of integer - zero,
// or as bytes, [tiles][columns / 4][R][4] of the integers, less 128 where the processor reads bytes as signed ones. With bytes
// go [tiles][groups][R] i32 starts: what the sum of a column's integers is multiplied by to begin with, so that the zero is
// taken off. Only the lower half of a start counts, the upper is zero.
import { INT8_ACTIVATION_MOST, INT8_NEGLIGIBLE } from "../../../encodings/int8-scheme";
import { INT8_SIGNED_BYTES, INT8_WORDS } from "../abi";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { loadSome } from "./simd";

const MOST: f32 = <f32>INT8_ACTIVATION_MOST;
const TINY: f32 = <f32>INT8_NEGLIGIBLE;

/**
 * Ints: x, bytes from one row to the next, rows, columns, rows of a tile, integers, scales [tiles][groups][R], starts, columns
 * of a group, how the integers are multiplied (INT8_… of ../abi.ts). Split by tiles. Missing rows of the last tile are zeros.
 */
export function quantizeRowsJob(chunk: i32): void {
  const rows = int(2);
  const columns = int(3);
  const perTile = int(4);
  const group = int(8);
  const words = int(9) == INT8_WORDS;
  const groups = (columns + group - 1) / group;
  const quads = (columns + 3) >> 2;
  const tiles = (rows + perTile - 1) / perTile;
  // Bytes of four integers of a row, and of those of all rows of a tile.
  const four: usize = words ? 8 : 4;
  const step = <usize>perTile * four;
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, tiles);
  for (let tile = chunkStart(chunk, chunks, tiles); tile < end; tile++) {
    for (let lane = 0; lane < perTile; lane++) {
      const row = tile * perTile + lane;
      const x = row < rows ? pointer(0) + <usize>row * pointer(1) : 0;
      let to = pointer(5) + <usize>tile * <usize>quads * step + (<usize>lane << 2);
      let place = (<usize>tile * <usize>groups * <usize>perTile + <usize>lane) << 2;
      for (let start = 0; start < columns; start += group) {
        quantizeGroup(x ? x + (<usize>start << 2) : 0, min(group, columns - start), to, step, place);
        to += <usize>(group >> 2) * step;
        place += <usize>perTile << 2;
      }
    }
  }
}

/**
 * `count` values from x on (0: zeros) as integers, `step` bytes from one four to the next. `place`: of the group's scale among
 * the scales, and of its start among the starts, in bytes.
 */
function quantizeGroup(x: usize, count: i32, to: usize, step: usize, place: usize): void {
  let low = f32x4.splat(0);
  let high = f32x4.splat(0);
  if (x) {
    let at = x;
    let left = count;
    for (; left > 0; left -= 4, at += 16) {
      const four = left >= 4 ? v128.load(at) : loadSome(at, left);
      low = f32x4.min(low, four);
      high = f32x4.max(high, four);
    }
  }
  const least = -largest(f32x4.neg(low));
  // Written so that NaN goes on, and so that nothing finite overflows: a scale of NaN makes every product of the group NaN.
  let scale: f32 = largest(high) / MOST - least / MOST;
  let inverse: f32 = 0;
  if (scale < TINY) scale = 0;
  else inverse = 1 / scale;
  const zero = nearest(f32x4.splat(-least * inverse));
  store<f32>(pointer(6) + place, scale);
  const factor = f32x4.splat(inverse);
  if (int(9) == INT8_WORDS) {
    // The largest value may be rounded up to one step more than there is.
    const most = i32x4.sub(i32x4.splat(INT8_ACTIVATION_MOST), zero);
    for (; count > 0; count -= 4, to += step) {
      const integers = i32x4.min_s(scaled(x, count, factor), most);
      const words = i16x8.narrow_i32x4_s(integers, integers);
      v128.store_lane<u32>(to, words, 0);
      v128.store_lane<u32>(to + (step >> 1), words, 1);
      if (x) x += 16;
    }
    return;
  }
  const sign = int(9) == INT8_SIGNED_BYTES ? 0x80 : 0;
  store<u32>(pointer(7) + place, <u32>(sign - i32x4.extract_lane(zero, 0)) & 0xffff);
  const signs = i8x16.splat(<i8>sign);
  for (; count > 0; count -= 4, to += step) {
    const words = i16x8.narrow_i32x4_s(i32x4.add(scaled(x, count, factor), zero), i32x4.splat(0));
    v128.store_lane<u32>(to, v128.xor(i8x16.narrow_i16x8_u(words, words), signs), 0);
    if (x) x += 16;
  }
}

/** Up to four values at x (0: zeros) times a factor, as integers. */
// @ts-expect-error: decorator
@inline
function scaled(x: usize, count: i32, factor: v128): v128 {
  if (!x) return i32x4.splat(0);
  return nearest(f32x4.mul(count >= 4 ? v128.load(x) : loadSome(x, count), factor));
}

/** To the nearest integers, ties to even; NaN to 0. */
// @ts-expect-error: decorator
@inline
function nearest(x: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(x));
}

/** The largest lane; NaN if there is one. */
// @ts-expect-error: decorator
@inline
function largest(x: v128): f32 {
  x = f32x4.max(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(x, v128.shuffle<f32>(x, x, 1, 0, 3, 2)), 0);
}
