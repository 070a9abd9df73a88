// Functions of one operand, element by element. overrides/elementwise.ts states the numbers of the functions too.
import { int } from "./control";
import { erf, exp, expm1, gelu, geluExact, log, log1p, sigmoid, tanh } from "./math";
import { addressOf, firstElement, loadFew, loadFour, outWord, runLength, stepOf, WHICH } from "./operands";
import { storeSome } from "./simd";

// @ts-expect-error: decorator
@inline
function all(x: f32): v128 {
  return f32x4.splat(x);
}

/** -1, 0 or 1; zeros and NaN stay. */
// @ts-expect-error: decorator
@inline
function sign(x: v128): v128 {
  const one = v128.or(all(1), v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(one, x, v128.or(f32x4.lt(x, all(0)), f32x4.gt(x, all(0))));
}

// @ts-expect-error: decorator
@inline
function apply(which: i32, x: v128): v128 {
  if (which == 0) return f32x4.neg(x);
  if (which == 1) return f32x4.abs(x);
  if (which == 2) return sign(x);
  if (which == 3) return f32x4.mul(x, x);
  if (which == 4) return f32x4.sqrt(x);
  if (which == 5) return f32x4.div(all(1), f32x4.sqrt(x));
  if (which == 6) return f32x4.div(all(1), x);
  if (which == 7) return exp(x);
  if (which == 8) return expm1(x);
  if (which == 9) return log(x);
  if (which == 10) return log1p(x);
  if (which == 11) return tanh(x);
  if (which == 12) return sigmoid(x);
  if (which == 13) return erf(x);
  if (which == 14) return f32x4.max(x, all(0));
  if (which == 15) return gelu(x);
  if (which == 16) return geluExact(x);
  if (which == 17) return f32x4.floor(x);
  if (which == 18) return f32x4.ceil(x);
  if (which == 19) return f32x4.nearest(x);
  if (which == 20) return i32x4.neg(x);
  if (which == 21) return i32x4.abs(x);
  if (which == 22) return i32x4.mul(x, x);
  // To float32 from int32, and back: towards zero, clamped, NaN to 0.
  if (which == 23) return f32x4.convert_i32x4_s(x);
  return i32x4.trunc_sat_f32x4_s(x);
}

// @ts-expect-error: decorator
@inline
function run(which: i32, x: usize, step: usize, out: usize, count: i32): void {
  const whole = out + (<usize>(count >> 2) << 4);
  for (; out < whole; out += 16, x += step << 2) v128.store(out, apply(which, loadFour(x, step)));
  const rest = count & 3;
  if (rest) storeSome(out, apply(which, loadFew(x, step, rest)), rest);
}

export function unaryJob(chunk: i32): void {
  const end = firstElement(chunk + 1);
  const step = stepOf(0);
  for (let i = firstElement(chunk); i < end; ) {
    const count = runLength(i, end);
    const x = addressOf(0, i);
    const out = outWord(i);
    switch (int(WHICH)) {
      case 0: run(0, x, step, out, count); break;
      case 1: run(1, x, step, out, count); break;
      case 2: run(2, x, step, out, count); break;
      case 3: run(3, x, step, out, count); break;
      case 4: run(4, x, step, out, count); break;
      case 5: run(5, x, step, out, count); break;
      case 6: run(6, x, step, out, count); break;
      case 7: run(7, x, step, out, count); break;
      case 8: run(8, x, step, out, count); break;
      case 9: run(9, x, step, out, count); break;
      case 10: run(10, x, step, out, count); break;
      case 11: run(11, x, step, out, count); break;
      case 12: run(12, x, step, out, count); break;
      case 13: run(13, x, step, out, count); break;
      case 14: run(14, x, step, out, count); break;
      case 15: run(15, x, step, out, count); break;
      case 16: run(16, x, step, out, count); break;
      case 17: run(17, x, step, out, count); break;
      case 18: run(18, x, step, out, count); break;
      case 19: run(19, x, step, out, count); break;
      case 20: run(20, x, step, out, count); break;
      case 21: run(21, x, step, out, count); break;
      case 22: run(22, x, step, out, count); break;
      case 23: run(23, x, step, out, count); break;
      case 24: run(24, x, step, out, count); break;
      default: unreachable();
    }
    i += count;
  }
}
