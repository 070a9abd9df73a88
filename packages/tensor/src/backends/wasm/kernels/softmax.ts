// Softmax and its relatives along rows that lie without gaps. Ints: x, bytes from one row to the next, out, rows, columns.
import { chunkCount, chunkStart, int, pointer } from "./control";
import { largestOf } from "./extremes";
import { exp } from "./math";
import { loadSome, madd, storeSome } from "./simd";
import { loadDoubles, sumOfLanes } from "./sums";

/** out[j] = e^(x[j] - m) / Σₖ e^(x[k] - m), m the largest x. */
export function softmaxJob(chunk: i32): void {
  const columns = int(4);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let row = chunkStart(chunk, chunkCount(), int(3)); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    const out = pointer(2) + ((<usize>row * <usize>columns) << 2);
    divide(out, columns, <f32>exponentials(x, columns, largestOf(x, columns), out));
  }
}

/** out[j] = x[j] - m - log Σₖ e^(x[k] - m), subtracted in float64. */
export function logSoftmaxJob(chunk: i32): void {
  const columns = int(4);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let row = chunkStart(chunk, chunkCount(), int(3)); row < end; row++) {
    let x = pointer(0) + <usize>row * pointer(1);
    let out = pointer(2) + ((<usize>row * <usize>columns) << 2);
    const largest = largestOf(x, columns);
    const most = <f64>largest;
    const logSum = logOfExponentials(x, columns, largest);
    const mosts = f64x2.splat(most);
    const logSums = f64x2.splat(logSum);
    const whole = x + (<usize>(columns >> 2) << 4);
    for (; x < whole; x += 16, out += 16) {
      const low = f32x4.demote_f64x2_zero(f64x2.sub(f64x2.sub(loadDoubles(x), mosts), logSums));
      const high = f32x4.demote_f64x2_zero(f64x2.sub(f64x2.sub(loadDoubles(x + 8), mosts), logSums));
      v128.store(out, v128.shuffle<f32>(low, high, 0, 1, 4, 5));
    }
    for (let j = columns & ~3; j < columns; j++, x += 4, out += 4) store<f32>(out, <f32>(<f64>load<f32>(x) - most - logSum));
  }
}

/** log Σ e^x of a row = m + log Σₖ e^(x[k] - m), for m and log Σ. */
export function logSumExp(largest: f32, logSum: f64): f32 {
  // Infinities and NaN are the result themselves.
  return largest - largest != 0 ? largest : <f32>(<f64>largest + logSum);
}

/** log Σₖ e^(x[k] - largest) */
export function logOfExponentials(x: usize, count: i32, largest: f32): f64 {
  return logOf(exponentials(x, count, largest, 0));
}

/** Σₖ e^(x[k] - largest), added in the same order whether the terms are stored, from `out` on, or not, for 0. */
function exponentials(x: usize, count: i32, largest: f32, out: usize): f64 {
  const stores = out != 0;
  const shift = f32x4.splat(largest);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const whole = x + (<usize>(count >> 2) << 4);
  for (; x < whole; x += 16) {
    const e = exponential(v128.load(x), shift);
    if (stores) {
      v128.store(out, e);
      out += 16;
    }
    low = f64x2.add(low, f64x2.promote_low_f32x4(e));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(e, e, 2, 3, 2, 3)));
  }
  let sum = sumOfLanes(low, high);
  const rest = count & 3;
  if (rest) {
    const e = exponential(loadSome(x, rest), shift);
    if (stores) storeSome(out, e, rest);
    sum += <f64>f32x4.extract_lane(e, 0);
    if (rest > 1) sum += <f64>f32x4.extract_lane(e, 1);
    if (rest > 2) sum += <f64>f32x4.extract_lane(e, 2);
  }
  return sum;
}

/** e^(x - shift), with what rounding the difference lost (Knuth's two-sum) put back. */
// @ts-ignore: decorator
@inline
function exponential(x: v128, shift: v128): v128 {
  const difference = f32x4.sub(x, shift);
  const moved = f32x4.sub(difference, x);
  const lost = f32x4.sub(f32x4.sub(x, f32x4.sub(difference, moved)), f32x4.add(shift, moved));
  const e = exp(difference);
  // Of an infinite x nothing was lost, though the subtractions above give NaN.
  return madd(e, v128.and(lost, f32x4.eq(lost, lost)), e);
}

function divide(out: usize, count: i32, divisor: f32): void {
  const by = f32x4.splat(divisor);
  const whole = out + (<usize>(count >> 2) << 4);
  for (; out < whole; out += 16) v128.store(out, f32x4.div(v128.load(out), by));
  const rest = count & 3;
  if (rest) storeSome(out, f32x4.div(loadSome(out, rest), by), rest);
}

/** Natural logarithm of a float64 of at least 1, or NaN: 2 artanh((m - 1)/(m + 1)) by its series, m in √½..√2. */
function logOf(x: f64): f64 {
  if (x != x) return x;
  const bits = reinterpret<i64>(x) - 0x3fe6a09e667f3bcd;
  const exponent = bits >> 52;
  const m = reinterpret<f64>((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd);
  const s = (m - 1) / (m + 1);
  const t = s * s;
  let series: f64 = 1.0 / 23.0;
  for (let k: f64 = 21; k > 0; k -= 2) series = series * t + 1 / k;
  return <f64>exponent * 0.6931471805599453 + 2 * s * series;
}
