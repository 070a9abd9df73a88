// The left operand of a product with 8-bit integers: each row's values, group by group, as (integer - zero) × scale, with
// integers and a zero from 0 to 255, as ONNX's DynamicQuantizeLinear has it (docs/quantization.md).
//
// For rows taken R at a time (4, or 1 for a single row) they lie as words, [tiles][columns / 2][R][2] i16 of integer - zero,
// or as bytes, [tiles][columns / 4][R][4] of the integers, less 128 where the processor reads bytes as signed ones. With bytes
// go [tiles][groups][R] i32 offsets: times the sum of a column's integers, and added to the products, they take the zero
// off. Only the lower half of an offset counts, the upper is zero.
import { INT8_ACTIVATION_MOST, INT8_NEGLIGIBLE } from "../../../encodings/int8-scheme";
import { INT8_SIGNED_BYTES, INT8_WORDS } from "../abi";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { loadSome } from "./simd";

const MOST: f32 = <f32>INT8_ACTIVATION_MOST;
const TINY: f32 = <f32>INT8_NEGLIGIBLE;
// Adding 1.5 · 2^23 rounds to the nearest integer, ties to even, which then stands in the low bits.
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

/**
 * Ints: x, bytes from one row to the next, rows, columns, rows of a tile, integers, scales [tiles][groups][R], offsets, columns
 * of a group, how the integers are multiplied (INT8_… of ../abi.ts). Split by tiles. The last row stands for those that the last
 * tile has not.
 */
export function quantizeRowsJob(chunk: i32): void {
  const rows = int(2);
  const columns = int(3);
  const perTile = int(4);
  const group = int(8);
  const groups = (columns + group - 1) / group;
  // Bytes of four columns of a tile.
  const step = <usize>perTile << (int(9) == INT8_WORDS ? 3 : 2);
  const tileBytes = <usize>((columns + 3) >> 2) * step;
  const tiles = (rows + perTile - 1) / perTile;
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, tiles);
  for (let tile = chunkStart(chunk, chunks, tiles); tile < end; tile++) {
    const row = tile * perTile;
    const x = pointer(0) + <usize>row * pointer(1);
    const rowStep = pointer(1);
    const last = <usize>(min(perTile, rows - row) - 1) * rowStep;
    let to = pointer(5) + <usize>tile * tileBytes;
    let place = (<usize>tile * <usize>groups * <usize>perTile) << 2;
    for (let start = 0; start < columns; start += group, place += <usize>perTile << 2) {
      const at = x + (<usize>start << 2);
      const count = min(group, columns - start);
      if (perTile == 1) quantizeOne(at, count, to, place);
      else quantizeFour(at, at + min(rowStep, last), at + min(2 * rowStep, last), at + last, count, to, place);
      to += <usize>(group >> 2) * step;
    }
  }
}

/** `count` values from x on. `place`: of their scale among the scales, and of their offset among the offsets, in bytes. */
function quantizeOne(x: usize, count: i32, to: usize, place: usize): void {
  const steps = stepsOf(x, count, place);
  const factor = v128.shuffle<i32>(steps, steps, 0, 0, 0, 0);
  const most = v128.shuffle<i32>(steps, steps, 1, 1, 1, 1);
  const zeros = zerosOf(most, most);
  const kind = int(9);
  for (; count > 0; count -= 4, x += 16) {
    const integers = scaled(count >= 4 ? v128.load(x) : loadSome(x, count), factor, most);
    const words = i16x8.narrow_i32x4_s(integers, integers);
    if (kind == INT8_WORDS) {
      v128.store_lane<u64>(to, words, 0);
      to += 8;
    } else {
      v128.store_lane<u32>(to, asBytes(words, words, zeros, zeros, kind), 0);
      to += 4;
    }
  }
}

/** The same of four rows. */
function quantizeFour(x0: usize, x1: usize, x2: usize, x3: usize, count: i32, to: usize, place: usize): void {
  const steps0 = stepsOf(x0, count, place);
  const steps1 = stepsOf(x1, count, place + 4);
  const steps2 = stepsOf(x2, count, place + 8);
  const steps3 = stepsOf(x3, count, place + 12);
  const factor0 = v128.shuffle<i32>(steps0, steps0, 0, 0, 0, 0);
  const factor1 = v128.shuffle<i32>(steps1, steps1, 0, 0, 0, 0);
  const factor2 = v128.shuffle<i32>(steps2, steps2, 0, 0, 0, 0);
  const factor3 = v128.shuffle<i32>(steps3, steps3, 0, 0, 0, 0);
  const most0 = v128.shuffle<i32>(steps0, steps0, 1, 1, 1, 1);
  const most1 = v128.shuffle<i32>(steps1, steps1, 1, 1, 1, 1);
  const most2 = v128.shuffle<i32>(steps2, steps2, 1, 1, 1, 1);
  const most3 = v128.shuffle<i32>(steps3, steps3, 1, 1, 1, 1);
  const zeros01 = zerosOf(most0, most1);
  const zeros23 = zerosOf(most2, most3);
  const kind = int(9);
  for (; count > 0; count -= 4) {
    const whole = count >= 4;
    const first = scaled(whole ? v128.load(x0) : loadSome(x0, count), factor0, most0);
    const second = scaled(whole ? v128.load(x1) : loadSome(x1, count), factor1, most1);
    const third = scaled(whole ? v128.load(x2) : loadSome(x2, count), factor2, most2);
    const fourth = scaled(whole ? v128.load(x3) : loadSome(x3, count), factor3, most3);
    const words01 = i16x8.narrow_i32x4_s(first, second);
    const words23 = i16x8.narrow_i32x4_s(third, fourth);
    if (kind == INT8_WORDS) {
      v128.store(to, v128.shuffle<i32>(words01, words23, 0, 2, 4, 6));
      v128.store(to, v128.shuffle<i32>(words01, words23, 1, 3, 5, 7), 16);
      to += 32;
    } else {
      v128.store(to, asBytes(words01, words23, zeros01, zeros23, kind));
      to += 16;
    }
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
  }
}

/**
 * How `count` values from x on are quantized: lane 0, what they are multiplied by; lane 1, the most that this may give, above
 * the zero and as {@link scaled} wants it. Writes their scale, and their offset where bytes are multiplied.
 */
function stepsOf(x: usize, count: i32, place: usize): v128 {
  // As integers, the bits of floats are in the order of positive floats, and, unsigned, in the reverse order of negative ones,
  // and NaN lies beyond infinity: so a signed and an unsigned maximum find both ends.
  let highest = i32x4.splat(0);
  let lowest = i32x4.splat(i32.MIN_VALUE);
  for (; count >= 4; count -= 4, x += 16) {
    const four = v128.load(x);
    highest = i32x4.max_s(highest, four);
    lowest = i32x4.max_u(lowest, four);
  }
  if (count > 0) {
    const some = loadSome(x, count);
    highest = i32x4.max_s(highest, some);
    lowest = i32x4.max_u(lowest, some);
  }
  highest = i32x4.max_s(highest, v128.shuffle<i32>(highest, highest, 2, 3, 0, 1));
  highest = i32x4.max_s(highest, v128.shuffle<i32>(highest, highest, 1, 0, 3, 2));
  lowest = i32x4.max_u(lowest, v128.shuffle<i32>(lowest, lowest, 2, 3, 0, 1));
  lowest = i32x4.max_u(lowest, v128.shuffle<i32>(lowest, lowest, 1, 0, 3, 2));
  const least = f32x4.extract_lane(lowest, 0);
  // Written so that nothing finite overflows.
  let scale: f32 = f32x4.extract_lane(highest, 0) / MOST - least / MOST;
  let inverse: f32 = 0;
  let zero: i32 = 0;
  if (scale < TINY) {
    scale = 0;
  } else if (scale < f32.MAX_VALUE) {
    inverse = 1 / scale;
    zero = reinterpret<i32>(ROUNDER - least * inverse) - ROUNDER_BITS;
  } else {
    scale = NaN; // makes NaN of every product of the group
  }
  store<f32>(pointer(6) + place, scale);
  if (int(9) != INT8_WORDS) {
    const offset = int(9) == INT8_SIGNED_BYTES ? 128 - zero : -zero;
    store<u32>(pointer(7) + place, <u32>offset & 0xffff);
  }
  return i32x4.replace_lane(f32x4.splat(inverse), 1, ROUNDER_BITS + INT8_ACTIVATION_MOST - zero);
}

/** Four values times a factor, as integers. The largest value may come out one above the most that there is. */
// @ts-expect-error: decorator
@inline
function scaled(x: v128, factor: v128, most: v128): v128 {
  const rounded = f32x4.add(f32x4.mul(x, factor), f32x4.splat(ROUNDER));
  return i32x4.sub(i32x4.min_s(rounded, most), i32x4.splat(ROUNDER_BITS));
}

/** The zeros of two rows as words, as often as their integers stand there: or 128 less, for signed bytes. */
// @ts-expect-error: decorator
@inline
function zerosOf(most0: v128, most1: v128): v128 {
  const all = ROUNDER_BITS + INT8_ACTIVATION_MOST - (int(9) == INT8_SIGNED_BYTES ? 128 : 0);
  return i16x8.narrow_i32x4_s(i32x4.sub(i32x4.splat(all), most0), i32x4.sub(i32x4.splat(all), most1));
}

/** Words, which are integers less their zeros, as bytes. */
// @ts-expect-error: decorator
@inline
function asBytes(words01: v128, words23: v128, zeros01: v128, zeros23: v128, kind: i32): v128 {
  const integers01 = i16x8.add(words01, zeros01);
  const integers23 = i16x8.add(words23, zeros23);
  if (kind == INT8_SIGNED_BYTES) return i8x16.narrow_i16x8_s(integers01, integers23);
  return i8x16.narrow_i16x8_u(integers01, integers23);
}
