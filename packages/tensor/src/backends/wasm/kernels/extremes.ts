// The largest and the smallest of a row of floats.

/** The largest of `count` floats; NaN if any is, negative infinity if there are none, 0 rather than -0. */
export function largestOf(x: usize, count: i32): f32 {
  return extremeOf(x, count, true);
}

/** The smallest of `count` floats; NaN if any is, infinity if there are none, -0 rather than 0. */
export function smallestOf(x: usize, count: i32): f32 {
  return extremeOf(x, count, false);
}

/**
 * The instructions pmax and pmin are several times faster than max and min, but skip NaN and take either zero. So NaN is
 * looked for beside them, and a result of zero sought again.
 */
// @ts-expect-error: decorator
@inline
function extremeOf(x: usize, count: i32, largest: bool): f32 {
  const none: f32 = largest ? f32.NEGATIVE_INFINITY : f32.POSITIVE_INFINITY;
  const start = x;
  const end = x + (<usize>count << 2);
  const whole = x + (<usize>(count >> 4) << 6);
  let a = f32x4.splat(none);
  let b = a;
  let c = a;
  let d = a;
  let nan = f32x4.ne(a, a);
  for (; x < whole; x += 64) {
    const p = v128.load(x);
    const q = v128.load(x, 16);
    const r = v128.load(x, 32);
    const s = v128.load(x, 48);
    a = further(largest, a, p);
    b = further(largest, b, q);
    c = further(largest, c, r);
    d = further(largest, d, s);
    nan = v128.or(nan, v128.or(v128.or(f32x4.ne(p, p), f32x4.ne(q, q)), v128.or(f32x4.ne(r, r), f32x4.ne(s, s))));
  }
  for (; x < end; x += 4) {
    const p = v128.load32_splat(x);
    a = further(largest, a, p);
    nan = v128.or(nan, f32x4.ne(p, p));
  }
  if (v128.any_true(nan)) return f32.NaN;
  a = further(largest, further(largest, a, b), further(largest, c, d));
  a = further(largest, a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
  a = further(largest, a, v128.shuffle<f32>(a, a, 1, 0, 3, 2));
  const extreme = f32x4.extract_lane(a, 0);
  return extreme == 0 ? zeroOf(start, end, largest) : extreme;
}

// @ts-expect-error: decorator
@inline
function further(largest: bool, a: v128, b: v128): v128 {
  return largest ? f32x4.pmax(a, b) : f32x4.pmin(a, b);
}

/** The zero that `wanted` prefers among those between the addresses: 0 for true, -0 for false. */
function zeroOf(x: usize, end: usize, wanted: bool): f32 {
  for (; x < end; x += 4) {
    if (load<u32>(x) == (wanted ? 0 : 0x80000000)) return load<f32>(x);
  }
  return wanted ? -0.0 : 0.0;
}
