// The left operand of a product with 8-bit integers: each row's values, group by group, as 14-bit integers times a scale.
//
// For rows taken R at a time (4, or 1 for a single row) they lie as [tiles][columns / 2][R][2] i16, or, for the kernels that
// multiply bytes, as [tiles][columns / 4][R][8], the upper and then the lower 7 bits of four integers plus 8192.
import { INT8_NEGLIGIBLE } from "../../../encodings/int8-scheme";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { loadSome } from "./simd";

/** The largest of the integers. */
const MOST: f32 = 8191;
const TINY: f32 = <f32>INT8_NEGLIGIBLE;

/**
 * Ints: x, bytes from one row to the next, rows, columns, rows of a tile, integers, scales [tiles][groups][R], columns of
 * a group, whether the integers are split into bytes. Split by tiles. Missing rows of the last tile are zeros.
 */
export function quantizeRowsJob(chunk: i32): void {
  const rows = int(2);
  const columns = int(3);
  const perTile = int(4);
  const group = int(7);
  const groups = (columns + group - 1) / group;
  const quads = (columns + 3) >> 2;
  const tiles = (rows + perTile - 1) / perTile;
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, tiles);
  for (let tile = chunkStart(chunk, chunks, tiles); tile < end; tile++) {
    for (let lane = 0; lane < perTile; lane++) {
      const row = tile * perTile + lane;
      const x = row < rows ? pointer(0) + <usize>row * pointer(1) : 0;
      const inTile = <usize>lane << (int(8) ? 3 : 2);
      let to = pointer(5) + ((<usize>tile * <usize>quads * <usize>perTile) << 3) + inTile;
      let scale = pointer(6) + ((<usize>tile * <usize>groups * <usize>perTile + <usize>lane) << 2);
      for (let start = 0; start < columns; start += group) {
        quantizeGroup(x ? x + (<usize>start << 2) : 0, min(group, columns - start), to, <usize>perTile << 3, scale);
        to += <usize>((group >> 2) * perTile) << 3;
        scale += <usize>perTile << 2;
      }
    }
  }
}

/** `count` values from x on (0: zeros), as integers `step` bytes from one four to the next, and their scale. */
function quantizeGroup(x: usize, count: i32, to: usize, step: usize, scale: usize): void {
  const most = x ? largest(x, count) : 0;
  // Written so that NaN goes on: its scale makes every product of the group NaN.
  const inverse: f32 = most < TINY ? 0 : MOST / most;
  store<f32>(scale, most < TINY ? 0 : most / MOST);
  const bytes = int(8) != 0;
  const factor = f32x4.splat(inverse);
  for (; count > 0; count -= 4, to += step) {
    let four = f32x4.splat(0);
    if (x) {
      four = count >= 4 ? v128.load(x) : loadSome(x, count);
      x += 16;
    }
    const integers = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(four, factor)));
    if (bytes) {
      const positive = i32x4.add(integers, i32x4.splat(8192));
      const halves = i16x8.narrow_i32x4_s(i32x4.shr_u(positive, 7), v128.and(positive, i32x4.splat(127)));
      v128.store_lane<u64>(to, i8x16.narrow_i16x8_u(halves, halves), 0);
    } else {
      const words = i16x8.narrow_i32x4_s(integers, integers);
      v128.store_lane<u32>(to, words, 0);
      v128.store_lane<u32>(to + (step >> 1), words, 1);
    }
  }
}

/** The largest absolute value; NaN if there is one. */
function largest(x: usize, count: i32): f32 {
  let most = f32x4.splat(0);
  for (; count >= 4; count -= 4, x += 16) most = f32x4.max(most, f32x4.abs(v128.load(x)));
  if (count > 0) most = f32x4.max(most, f32x4.abs(loadSome(x, count)));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2)), 0);
}
