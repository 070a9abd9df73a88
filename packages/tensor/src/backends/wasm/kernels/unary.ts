// Functions of one operand, element by element.
import {
  UNARY_ABS,
  UNARY_ABS_INT,
  UNARY_CEIL,
  UNARY_ERF,
  UNARY_EXP,
  UNARY_EXPM1,
  UNARY_FLOOR,
  UNARY_GELU,
  UNARY_GELU_EXACT,
  UNARY_INT_TO_FLOAT,
  UNARY_LOG,
  UNARY_LOG1P,
  UNARY_NEG,
  UNARY_NEG_INT,
  UNARY_QUICK_GELU,
  UNARY_RECIPROCAL,
  UNARY_RELU,
  UNARY_ROUND,
  UNARY_RSQRT,
  UNARY_SIGMOID,
  UNARY_SIGN,
  UNARY_SILU,
  UNARY_SQRT,
  UNARY_SQUARE,
  UNARY_SQUARE_INT,
  UNARY_TANH,
} from "../abi";
import { int } from "./control";
import { erf, exp, expm1, gelu, geluExact, log, log1p, quickGelu, sigmoid, silu, tanh } from "./math";
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
 * Function number `which` (UNARY_…) of four floats. Not inlined: expanded once for every function of every loop, these bodies cost the
 * compiler minutes.
 */
function apply(which: i32, x: v128): v128 {
  switch (which) {
    case UNARY_NEG: return f32x4.neg(x);
    case UNARY_ABS: return f32x4.abs(x);
    case UNARY_SIGN: return sign(x);
    case UNARY_SQUARE: return f32x4.mul(x, x);
    case UNARY_SQRT: return f32x4.sqrt(x);
    case UNARY_RSQRT: return f32x4.div(all(1), f32x4.sqrt(x));
    case UNARY_RECIPROCAL: return f32x4.div(all(1), x);
    case UNARY_EXP: return exp(x);
    case UNARY_EXPM1: return expm1(x);
    case UNARY_LOG: return log(x);
    case UNARY_LOG1P: return log1p(x);
    case UNARY_TANH: return tanh(x);
    case UNARY_SIGMOID: return sigmoid(x);
    case UNARY_ERF: return erf(x);
    case UNARY_RELU: return f32x4.max(x, all(0));
    case UNARY_GELU: return gelu(x);
    case UNARY_GELU_EXACT: return geluExact(x);
    case UNARY_SILU: return silu(x);
    case UNARY_QUICK_GELU: return quickGelu(x);
    case UNARY_FLOOR: return f32x4.floor(x);
    case UNARY_CEIL: return f32x4.ceil(x);
    case UNARY_ROUND: return f32x4.nearest(x);
    case UNARY_NEG_INT: return i32x4.neg(x);
    case UNARY_ABS_INT: return i32x4.abs(x);
    case UNARY_SQUARE_INT: return i32x4.mul(x, x);
    // To float32 from int32, and back: towards zero, clamped, NaN to 0.
    case UNARY_INT_TO_FLOAT: return f32x4.convert_i32x4_s(x);
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
