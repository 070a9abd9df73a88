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

/**
 * Function number `which` of four floats. Not inlined: expanded once for every function of every loop, these bodies cost the
 * compiler minutes.
 */
function apply(which: i32, x: v128): v128 {
  switch (which) {
    case 0: return f32x4.neg(x);
    case 1: return f32x4.abs(x);
    case 2: return sign(x);
    case 3: return f32x4.mul(x, x);
    case 4: return f32x4.sqrt(x);
    case 5: return f32x4.div(all(1), f32x4.sqrt(x));
    case 6: return f32x4.div(all(1), x);
    case 7: return exp(x);
    case 8: return expm1(x);
    case 9: return log(x);
    case 10: return log1p(x);
    case 11: return tanh(x);
    case 12: return sigmoid(x);
    case 13: return erf(x);
    case 14: return f32x4.max(x, all(0));
    case 15: return gelu(x);
    case 16: return geluExact(x);
    case 17: return f32x4.floor(x);
    case 18: return f32x4.ceil(x);
    case 19: return f32x4.nearest(x);
    case 20: return i32x4.neg(x);
    case 21: return i32x4.abs(x);
    case 22: return i32x4.mul(x, x);
    // To float32 from int32, and back: towards zero, clamped, NaN to 0.
    case 23: return f32x4.convert_i32x4_s(x);
    default: return i32x4.trunc_sat_f32x4_s(x);
  }
}

export function unaryJob(chunk: i32): void {
  const which = int(WHICH);
  const end = firstElement(chunk + 1);
  const step = stepOf(0);
  for (let i = firstElement(chunk); i < end; ) {
    const count = runLength(i, end);
    let x = addressOf(0, i);
    let out = outWord(i);
    const whole = out + (<usize>(count >> 2) << 4);
    for (; out < whole; out += 16, x += step << 2) v128.store(out, apply(which, loadFour(x, step)));
    const rest = count & 3;
    if (rest) storeSome(out, apply(which, loadFew(x, step, rest)), rest);
    i += count;
  }
}
