// Functions of two operands, element by element.
import {
  BINARY_ADD,
  BINARY_ADD_INT,
  BINARY_DIV,
  BINARY_MAXIMUM,
  BINARY_MAXIMUM_INT,
  BINARY_MINIMUM,
  BINARY_MINIMUM_INT,
  BINARY_MUL,
  BINARY_MUL_INT,
  BINARY_SUB,
  BINARY_SUB_INT,
  BYTES_AND,
  BYTES_EQ,
  BYTES_NE,
  BYTES_OR,
  COMPARE_EQ,
  COMPARE_EQ_INT,
  COMPARE_LE,
  COMPARE_LE_INT,
  COMPARE_LT,
  COMPARE_LT_INT,
  COMPARE_NE,
  COMPARE_NE_INT,
} from "../abi";
import { int } from "./control";
import { addressOf, firstElement, loadFew, loadFour, outByte, outWord, runLength, stepOf, WHICH } from "./operands";
import { storeSome } from "./simd";

// @ts-expect-error: decorator
@inline
function apply(which: i32, a: v128, b: v128): v128 {
  if (which == BINARY_ADD) return f32x4.add(a, b);
  if (which == BINARY_SUB) return f32x4.sub(a, b);
  if (which == BINARY_MUL) return f32x4.mul(a, b);
  if (which == BINARY_DIV) return f32x4.div(a, b);
  if (which == BINARY_MAXIMUM) return f32x4.max(a, b);
  if (which == BINARY_MINIMUM) return f32x4.min(a, b);
  if (which == BINARY_ADD_INT) return i32x4.add(a, b);
  if (which == BINARY_SUB_INT) return i32x4.sub(a, b);
  if (which == BINARY_MUL_INT) return i32x4.mul(a, b);
  if (which == BINARY_MAXIMUM_INT) return i32x4.max_s(a, b);
  return i32x4.min_s(a, b);
}

// @ts-expect-error: decorator
@inline
function run(which: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize, count: i32): void {
  const whole = out + (<usize>(count >> 2) << 4);
  if (aStep == 4 && bStep == 4) {
    for (; out < whole; out += 16, a += 16, b += 16) v128.store(out, apply(which, v128.load(a), v128.load(b)));
  } else {
    for (; out < whole; out += 16, a += aStep << 2, b += bStep << 2) {
      v128.store(out, apply(which, loadFour(a, aStep), loadFour(b, bStep)));
    }
  }
  const rest = count & 3;
  if (rest) storeSome(out, apply(which, loadFew(a, aStep, rest), loadFew(b, bStep, rest)), rest);
}

export function binaryJob(chunk: i32): void {
  const end = firstElement(chunk + 1);
  const aStep = stepOf(0);
  const bStep = stepOf(1);
  for (let i = firstElement(chunk); i < end; ) {
    const count = runLength(i, end);
    const a = addressOf(0, i);
    const b = addressOf(1, i);
    const out = outWord(i);
    switch (int(WHICH)) {
      case BINARY_ADD: run(BINARY_ADD, a, aStep, b, bStep, out, count); break;
      case BINARY_SUB: run(BINARY_SUB, a, aStep, b, bStep, out, count); break;
      case BINARY_MUL: run(BINARY_MUL, a, aStep, b, bStep, out, count); break;
      case BINARY_DIV: run(BINARY_DIV, a, aStep, b, bStep, out, count); break;
      case BINARY_MAXIMUM: run(BINARY_MAXIMUM, a, aStep, b, bStep, out, count); break;
      case BINARY_MINIMUM: run(BINARY_MINIMUM, a, aStep, b, bStep, out, count); break;
      case BINARY_ADD_INT: run(BINARY_ADD_INT, a, aStep, b, bStep, out, count); break;
      case BINARY_SUB_INT: run(BINARY_SUB_INT, a, aStep, b, bStep, out, count); break;
      case BINARY_MUL_INT: run(BINARY_MUL_INT, a, aStep, b, bStep, out, count); break;
      case BINARY_MAXIMUM_INT: run(BINARY_MAXIMUM_INT, a, aStep, b, bStep, out, count); break;
      case BINARY_MINIMUM_INT: run(BINARY_MINIMUM_INT, a, aStep, b, bStep, out, count); break;
      default: unreachable();
    }
    i += count;
  }
}

/** Lanes of all ones where the comparison holds. */
// @ts-expect-error: decorator
@inline
function holds(which: i32, a: v128, b: v128): v128 {
  if (which == COMPARE_EQ) return f32x4.eq(a, b);
  if (which == COMPARE_NE) return f32x4.ne(a, b);
  if (which == COMPARE_LT) return f32x4.lt(a, b);
  if (which == COMPARE_LE) return f32x4.le(a, b);
  if (which == COMPARE_EQ_INT) return i32x4.eq(a, b);
  if (which == COMPARE_NE_INT) return i32x4.ne(a, b);
  if (which == COMPARE_LT_INT) return i32x4.lt_s(a, b);
  return i32x4.le_s(a, b);
}

/** Four lanes of all ones or zeros as bytes 1 or 0. */
// @ts-expect-error: decorator
@inline
function asBytes(lanes: v128): v128 {
  const words = i16x8.narrow_i32x4_s(lanes, lanes);
  return v128.and(i8x16.narrow_i16x8_s(words, words), i8x16.splat(1));
}

// @ts-expect-error: decorator
@inline
function compare(which: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize, count: i32): void {
  const whole = out + (count & ~3);
  for (; out < whole; out += 4, a += aStep << 2, b += bStep << 2) {
    v128.store_lane<u32>(out, asBytes(holds(which, loadFour(a, aStep), loadFour(b, bStep))), 0);
  }
  const rest = count & 3;
  if (rest) {
    const bytes = asBytes(holds(which, loadFew(a, aStep, rest), loadFew(b, bStep, rest)));
    v128.store_lane<u8>(out, bytes, 0);
    if (rest > 1) v128.store_lane<u8>(out, bytes, 1, 1);
    if (rest > 2) v128.store_lane<u8>(out, bytes, 2, 2);
  }
}

/** Comparisons of words; the caller swaps the operands of > and ≥. */
export function compareJob(chunk: i32): void {
  const end = firstElement(chunk + 1);
  const aStep = stepOf(0);
  const bStep = stepOf(1);
  for (let i = firstElement(chunk); i < end; ) {
    const count = runLength(i, end);
    const a = addressOf(0, i);
    const b = addressOf(1, i);
    const out = outByte(i);
    switch (int(WHICH)) {
      case COMPARE_EQ: compare(COMPARE_EQ, a, aStep, b, bStep, out, count); break;
      case COMPARE_NE: compare(COMPARE_NE, a, aStep, b, bStep, out, count); break;
      case COMPARE_LT: compare(COMPARE_LT, a, aStep, b, bStep, out, count); break;
      case COMPARE_LE: compare(COMPARE_LE, a, aStep, b, bStep, out, count); break;
      case COMPARE_EQ_INT: compare(COMPARE_EQ_INT, a, aStep, b, bStep, out, count); break;
      case COMPARE_NE_INT: compare(COMPARE_NE_INT, a, aStep, b, bStep, out, count); break;
      case COMPARE_LT_INT: compare(COMPARE_LT_INT, a, aStep, b, bStep, out, count); break;
      case COMPARE_LE_INT: compare(COMPARE_LE_INT, a, aStep, b, bStep, out, count); break;
      default: unreachable();
    }
    i += count;
  }
}

/** Bytes that are 0 or 1. */
export function bytesJob(chunk: i32): void {
  const which = int(WHICH);
  const end = firstElement(chunk + 1);
  const aStep = stepOf(0);
  const bStep = stepOf(1);
  for (let i = firstElement(chunk); i < end; ) {
    const count = runLength(i, end);
    let a = addressOf(0, i);
    let b = addressOf(1, i);
    const out = outByte(i);
    for (let j = 0; j < count; j++, a += aStep, b += bStep) {
      const x = load<u8>(a);
      const y = load<u8>(b);
      store<u8>(out + j, which == BYTES_AND ? x & y : which == BYTES_OR ? x | y : which == BYTES_NE ? x ^ y : which == BYTES_EQ ? x ^ y ^ 1 : x ^ 1);
    }
    i += count;
  }
}

/** out = a ? b : c; a are bytes, b and c words. */
export function whereJob(chunk: i32): void {
  const end = firstElement(chunk + 1);
  const aStep = stepOf(0);
  const bStep = stepOf(1);
  const cStep = stepOf(2);
  for (let i = firstElement(chunk); i < end; ) {
    const count = runLength(i, end);
    let a = addressOf(0, i);
    let b = addressOf(1, i);
    let c = addressOf(2, i);
    let out = outWord(i);
    const stop = out + (<usize>count << 2);
    for (; out < stop; out += 4, a += aStep, b += bStep, c += cStep) {
      store<u32>(out, load<u8>(a) ? load<u32>(b) : load<u32>(c));
    }
    i += count;
  }
}
