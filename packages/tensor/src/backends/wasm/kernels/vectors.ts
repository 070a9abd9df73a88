// Vectors of keys and values in fewer bits: ../../reference/vectors.ts has their layouts.
import { INT8_LARGEST, INT8_NEGLIGIBLE } from "../../../encodings/int8-scheme";
import { VECTORS_INT8 } from "../abi";
import { high, roundToBf16, upperHalves } from "./bf16";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { loadSome } from "./simd";

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
  const inverse = inverseStep(most, INT8_LARGEST);
  for (; length > 0; length -= 16, x += 64, to += 16) {
    const low = shorts(x, length, inverse);
    const high = shorts(x + 32, length - 8, inverse);
    v128.store(to, i8x16.narrow_i16x8_s(low, high));
  }
  store<f32>(to, stepOf(most, INT8_LARGEST));
}

// ---- integers times a step: `most` is the largest absolute value, and `integer` what becomes of it

/** What numbers are multiplied by to become integers. */
export function inverseStep(most: f32, integer: i32): f32 {
  return most < <f32>INT8_NEGLIGIBLE ? 0 : <f32>integer / most;
}

/** What takes integers back; NaN where a number was not finite. */
export function stepOf(most: f32, integer: i32): f32 {
  if (most < <f32>INT8_NEGLIGIBLE) return 0;
  return most < f32.POSITIVE_INFINITY ? most / <f32>integer : f32.NaN;
}

/** The first `count` floats, eight at most, as integers of 16 bits, the others 0. */
// @ts-expect-error: decorator
@inline
export function shorts(x: usize, count: i32, inverse: f32): v128 {
  return i16x8.narrow_i32x4_s(integers(x, count, inverse), integers(x + 16, count - 4, inverse));
}

// @ts-expect-error: decorator
@inline
function integers(x: usize, count: i32, inverse: f32): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(loadUpTo4(x, count), f32x4.splat(inverse))));
}

/** The largest absolute value; NaN if there is one. */
export function largest(x: usize, count: i32): f32 {
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
