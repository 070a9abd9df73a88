// Sums of float32 in float64, in an order that depends on the number of elements alone.

/** All four lanes: (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline
export function sumOfLanes(low: v128, high: v128): f64 {
  return (
    f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1) + (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1))
  );
}

/** Two floats as two doubles. */
// @ts-ignore: decorator
@inline
export function loadDoubles(address: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address));
}

/** The sum of `count` floats. */
export function sumOf(x: usize, count: i32): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  const end = x + (<usize>count << 2);
  const whole = x + (<usize>(count >> 3) << 5);
  for (; x < whole; x += 32) {
    a = f64x2.add(a, loadDoubles(x));
    b = f64x2.add(b, loadDoubles(x + 8));
    c = f64x2.add(c, loadDoubles(x + 16));
    d = f64x2.add(d, loadDoubles(x + 24));
  }
  let sum = sumOfLanes(f64x2.add(a, c), f64x2.add(b, d));
  for (; x < end; x += 4) sum += <f64>load<f32>(x);
  return sum;
}

/** The sum of the squares of `count` floats less `mean`. */
export function sumOfSquaredDeviations(x: usize, count: i32, mean: f64): f64 {
  const centre = f64x2.splat(mean);
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  const end = x + (<usize>count << 2);
  const whole = x + (<usize>(count >> 3) << 5);
  for (; x < whole; x += 32) {
    const p = f64x2.sub(loadDoubles(x), centre);
    const q = f64x2.sub(loadDoubles(x + 8), centre);
    const r = f64x2.sub(loadDoubles(x + 16), centre);
    const s = f64x2.sub(loadDoubles(x + 24), centre);
    a = f64x2.add(a, f64x2.mul(p, p));
    b = f64x2.add(b, f64x2.mul(q, q));
    c = f64x2.add(c, f64x2.mul(r, r));
    d = f64x2.add(d, f64x2.mul(s, s));
  }
  let sum = sumOfLanes(f64x2.add(a, c), f64x2.add(b, d));
  for (; x < end; x += 4) {
    const p = <f64>load<f32>(x) - mean;
    sum += p * p;
  }
  return sum;
}

/** The largest of `count` floats; NaN if any is, negative infinity if there are none. */
export function largestOf(x: usize, count: i32): f32 {
  const end = x + (<usize>count << 2);
  const whole = x + (<usize>(count >> 2) << 4);
  let most = f32x4.splat(f32.NEGATIVE_INFINITY);
  for (; x < whole; x += 16) most = f32x4.max(most, v128.load(x));
  for (; x < end; x += 4) most = f32x4.max(most, v128.load32_splat(x));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  return f32x4.extract_lane(most, 0);
}

/** The smallest of `count` floats; NaN if any is, infinity if there are none. */
export function smallestOf(x: usize, count: i32): f32 {
  const end = x + (<usize>count << 2);
  const whole = x + (<usize>(count >> 2) << 4);
  let least = f32x4.splat(f32.POSITIVE_INFINITY);
  for (; x < whole; x += 16) least = f32x4.min(least, v128.load(x));
  for (; x < end; x += 4) least = f32x4.min(least, v128.load32_splat(x));
  least = f32x4.min(least, v128.shuffle<f32>(least, least, 2, 3, 0, 1));
  least = f32x4.min(least, v128.shuffle<f32>(least, least, 1, 0, 3, 2));
  return f32x4.extract_lane(least, 0);
}
