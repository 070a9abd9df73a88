// Vectors of keys and values in fewer bits (../../reference/vectors.ts has their layouts), 16 bytes at a time.
//
// Sixteen bytes are two parts of four bfloat16, or four parts of four integers; a shift and a mask take a part out. Integers come
// as floats 2^24 times too large, which is exact and spares a shift: who sums them divides by INT8_UNIT in the end.
import { INT8_LARGEST, INT8_NEGLIGIBLE } from "../../../encodings/int8-scheme";
import { VECTORS_INT8 } from "../abi";
import { high, low, roundToBf16, upperHalves } from "./bf16";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { loadSome } from "./simd";

/** What the integer 1 becomes. */
export const INT8_UNIT: f32 = 16777216;
/** Kept in memory: V8 builds a constant vector anew each time that a loop uses it. */
const TOP_BYTES = memory.data<u32>([0xff000000]);

/** The mask that {@link part} takes, to be loaded ahead of a loop. */
// @ts-expect-error: decorator
@inline
export function partMask(int8: bool): v128 {
  return int8 ? v128.load32_splat(TOP_BYTES) : upperHalves();
}

/** Four numbers of 16 bytes: part `n`, 0 or 1 of bfloat16, 0 to 3 of integers. */
// @ts-expect-error: decorator
@inline
export function part(bytes: v128, n: i32, mask: v128, int8: bool): v128 {
  if (!int8) return n == 0 ? low(bytes) : high(bytes, mask);
  if (n == 0) return f32x4.convert_i32x4_s(i32x4.shl(bytes, 24)); // nothing to mask
  if (n == 3) return f32x4.convert_i32x4_s(v128.and(bytes, mask));
  return f32x4.convert_i32x4_s(v128.and(i32x4.shl(bytes, 24 - 8 * n), mask));
}

/** Bytes of floats that become 16 bytes. */
// @ts-expect-error: decorator
@inline
export function floatBytes(int8: bool): usize {
  return int8 ? 64 : 32;
}

/**
 * Ints: encoding, x, bytes from one row to the next and from one head to the next, rows, heads, numbers of a vector, target,
 * bytes of an encoded vector. Split by vectors.
 */
export function encodeVectorsJob(chunk: i32): void {
  const heads = int(5);
  const length = int(6);
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, int(4) * heads);
  for (let vector = chunkStart(chunk, chunks, int(4) * heads); vector < end; vector++) {
    const row = vector / heads;
    const x = pointer(1) + <usize>row * pointer(2) + <usize>(vector - row * heads) * pointer(3);
    const to = pointer(7) + <usize>vector * pointer(8);
    if (int(0) == VECTORS_INT8) encodeInt8(x, length, to);
    else encodeBf16(x, length, to);
  }
}

function encodeBf16(x: usize, length: i32, to: usize): void {
  const upper = upperHalves();
  for (; length > 0; length -= 8, x += 32, to += 16) {
    const first = roundToBf16(loadUpTo4(x, length));
    const second = roundToBf16(loadUpTo4(x + 16, length - 4));
    v128.store(to, v128.or(i32x4.shr_u(first, 16), high(second, upper)));
  }
}

function encodeInt8(x: usize, length: i32, to: usize): void {
  const most = largest(x, length);
  const inverse = f32x4.splat(most < <f32>INT8_NEGLIGIBLE ? 0 : <f32>INT8_LARGEST / most);
  for (; length > 0; length -= 16, x += 64, to += 16) {
    const low = i16x8.narrow_i32x4_s(integers(x, length, inverse), integers(x + 16, length - 4, inverse));
    const high = i16x8.narrow_i32x4_s(integers(x + 32, length - 8, inverse), integers(x + 48, length - 12, inverse));
    const bytes = i8x16.narrow_i16x8_s(low, high);
    v128.store(to, i8x16.shuffle(bytes, bytes, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  }
  const scale: f32 = most < <f32>INT8_NEGLIGIBLE ? 0 : most / <f32>INT8_LARGEST;
  store<f32>(to, most < f32.POSITIVE_INFINITY ? scale : f32.NaN);
}

// @ts-expect-error: decorator
@inline
function integers(x: usize, count: i32, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(loadUpTo4(x, count), inverse)));
}

/** The largest absolute value; NaN if there is one. */
function largest(x: usize, count: i32): f32 {
  let most = f32x4.splat(0);
  for (; count > 0; count -= 4, x += 16) most = f32x4.max(most, f32x4.abs(loadUpTo4(x, count)));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2)), 0);
}

/** The first `count` floats, four at most, the other lanes zero. */
// @ts-expect-error: decorator
@inline
function loadUpTo4(x: usize, count: i32): v128 {
  return count >= 4 ? v128.load(x) : count > 0 ? loadSome(x, count) : f32x4.splat(0);
}

/**
 * `count` vectors of `blocks` times 16 bytes, `row` bytes apart, as rows of floats without gaps; of integers the scales go
 * to `scales`.
 */
export function unpackVectors(
  from: usize,
  row: usize,
  count: i32,
  blocks: i32,
  to: usize,
  scales: usize,
  int8: bool,
): void {
  for (let i = 0; i < count; i++, from += row) {
    let at = from;
    const end = from + (<usize>blocks << 4);
    if (int8) {
      const mask = partMask(true);
      for (; at < end; at += 16, to += floatBytes(true)) {
        const bytes = v128.load(at);
        v128.store(to, part(bytes, 0, mask, true));
        v128.store(to, part(bytes, 1, mask, true), 16);
        v128.store(to, part(bytes, 2, mask, true), 32);
        v128.store(to, part(bytes, 3, mask, true), 48);
      }
      store<f32>(scales + (<usize>i << 2), load<f32>(at));
    } else {
      const mask = partMask(false);
      for (; at < end; at += 16, to += floatBytes(false)) {
        const bytes = v128.load(at);
        v128.store(to, part(bytes, 0, mask, false));
        v128.store(to, part(bytes, 1, mask, false), 16);
      }
    }
  }
}
