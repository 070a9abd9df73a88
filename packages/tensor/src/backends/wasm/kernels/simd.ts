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
