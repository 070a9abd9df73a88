/**
 * a · b + c. The relaxed build may fuse it into one instruction with one rounding; the deterministic build rounds twice,
 * on every machine.
 */
// @ts-expect-error: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  else return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * sum + four products of bytes in each lane: `a` signed, `b` from 0 to 127, the sum exact. For the relaxed build only: one
 * instruction where the processor has it (VNNI on x86, dot products on ARM), several elsewhere.
 */
// @ts-expect-error: decorator
@inline
export function dotBytes(a: v128, b: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sum);
  else return unreachable();
}

/** The first `count` (1 to 3) floats at `address`, the other lanes zero. */
// @ts-expect-error: decorator
@inline
export function loadSome(address: usize, count: i32): v128 {
  let lanes = v128.load32_zero(address);
  if (count > 1) lanes = v128.load_lane<f32>(address, lanes, 1, 4);
  if (count > 2) lanes = v128.load_lane<f32>(address, lanes, 2, 8);
  return lanes;
}

/** Writes the first `count` (1 to 3) lanes. */
// @ts-expect-error: decorator
@inline
export function storeSome(address: usize, lanes: v128, count: i32): void {
  v128.store_lane<f32>(address, lanes, 0);
  if (count > 1) v128.store_lane<f32>(address, lanes, 1, 4);
  if (count > 2) v128.store_lane<f32>(address, lanes, 2, 8);
}
