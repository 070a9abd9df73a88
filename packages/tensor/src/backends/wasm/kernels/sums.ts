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
