// Functions of two operands, element by element. overrides/elementwise.ts states the numbers of the functions too.
import { int } from "./control";
import { addressOf, firstElement, loadFew, loadFour, outByte, outWord, runLength, stepOf, WHICH } from "./operands";
import { storeSome } from "./simd";

// @ts-expect-error: decorator
@inline
function apply(which: i32, a: v128, b: v128): v128 {
  if (which == 0) return f32x4.add(a, b);
  if (which == 1) return f32x4.sub(a, b);
  if (which == 2) return f32x4.mul(a, b);
  if (which == 3) return f32x4.div(a, b);
  if (which == 4) return f32x4.max(a, b);
  if (which == 5) return f32x4.min(a, b);
  if (which == 6) return i32x4.add(a, b);
  if (which == 7) return i32x4.sub(a, b);
  if (which == 8) return i32x4.mul(a, b);
  if (which == 9) return i32x4.max_s(a, b);
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
      case 0: run(0, a, aStep, b, bStep, out, count); break;
      case 1: run(1, a, aStep, b, bStep, out, count); break;
      case 2: run(2, a, aStep, b, bStep, out, count); break;
      case 3: run(3, a, aStep, b, bStep, out, count); break;
      case 4: run(4, a, aStep, b, bStep, out, count); break;
      case 5: run(5, a, aStep, b, bStep, out, count); break;
      case 6: run(6, a, aStep, b, bStep, out, count); break;
      case 7: run(7, a, aStep, b, bStep, out, count); break;
      case 8: run(8, a, aStep, b, bStep, out, count); break;
      case 9: run(9, a, aStep, b, bStep, out, count); break;
      case 10: run(10, a, aStep, b, bStep, out, count); break;
      default: unreachable();
    }
    i += count;
  }
}

/** Lanes of all ones where the comparison holds. */
// @ts-expect-error: decorator
@inline
function holds(which: i32, a: v128, b: v128): v128 {
  if (which == 0) return f32x4.eq(a, b);
  if (which == 1) return f32x4.ne(a, b);
  if (which == 2) return f32x4.lt(a, b);
  if (which == 3) return f32x4.le(a, b);
  if (which == 4) return i32x4.eq(a, b);
  if (which == 5) return i32x4.ne(a, b);
  if (which == 6) return i32x4.lt_s(a, b);
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
      case 0: compare(0, a, aStep, b, bStep, out, count); break;
      case 1: compare(1, a, aStep, b, bStep, out, count); break;
      case 2: compare(2, a, aStep, b, bStep, out, count); break;
      case 3: compare(3, a, aStep, b, bStep, out, count); break;
      case 4: compare(4, a, aStep, b, bStep, out, count); break;
      case 5: compare(5, a, aStep, b, bStep, out, count); break;
      case 6: compare(6, a, aStep, b, bStep, out, count); break;
      case 7: compare(7, a, aStep, b, bStep, out, count); break;
      default: unreachable();
    }
    i += count;
  }
}

/** Bytes that are 0 or 1: 0 and, 1 or, 2 unequal, 3 equal, 4 not a. */
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
      store<u8>(out + j, which == 0 ? x & y : which == 1 ? x | y : which == 2 ? x ^ y : which == 3 ? x ^ y ^ 1 : x ^ 1);
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
