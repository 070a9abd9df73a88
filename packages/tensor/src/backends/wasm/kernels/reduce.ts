// Reductions of rows that lie without gaps. Ints: x, bytes from one row to the next, out, rows, columns, which.
// `which` is one of REDUCE_… in ../abi.ts.
import {
  REDUCE_ARG_MAX,
  REDUCE_ARG_MIN,
  REDUCE_LOG_SUM_EXP,
  REDUCE_MAX,
  REDUCE_MEAN,
  REDUCE_MIN,
  REDUCE_PROD,
  REDUCE_SUM,
} from "../abi";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { largestOf, smallestOf } from "./extremes";
import { logOfExponentials, logSumExp } from "./softmax";
import { sumOf } from "./sums";

export function reduceFloatsJob(chunk: i32): void {
  const columns = int(4);
  const which = int(5);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let row = chunkStart(chunk, chunkCount(), int(3)); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    const out = pointer(2) + (<usize>row << 2);
    if (which == REDUCE_SUM) store<f32>(out, <f32>sumOf(x, columns));
    else if (which == REDUCE_MEAN) store<f32>(out, <f32>(sumOf(x, columns) / <f64>columns));
    else if (which == REDUCE_PROD) store<f32>(out, <f32>productOf(x, columns));
    else if (which == REDUCE_MAX) store<f32>(out, largestOf(x, columns));
    else if (which == REDUCE_MIN) store<f32>(out, smallestOf(x, columns));
    else if (which == REDUCE_ARG_MAX) store<i32>(out, indexOf(x, columns, largestOf(x, columns)));
    else if (which == REDUCE_ARG_MIN) store<i32>(out, indexOf(x, columns, smallestOf(x, columns)));
    else if (which == REDUCE_LOG_SUM_EXP) {
      const largest = largestOf(x, columns);
      store<f32>(out, logSumExp(largest, logOfExponentials(x, columns, largest)));
    } else unreachable();
  }
}

export function reduceIntsJob(chunk: i32): void {
  const columns = int(4);
  const which = int(5);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let row = chunkStart(chunk, chunkCount(), int(3)); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    const out = pointer(2) + (<usize>row << 2);
    if (which == REDUCE_SUM) store<i32>(out, sumOfInts(x, columns));
    else if (which == REDUCE_PROD) store<i32>(out, productOfInts(x, columns));
    else if (which == REDUCE_MAX) store<i32>(out, load<i32>(x + (<usize>extremeInt(x, columns, true) << 2)));
    else if (which == REDUCE_MIN) store<i32>(out, load<i32>(x + (<usize>extremeInt(x, columns, false) << 2)));
    else if (which == REDUCE_ARG_MAX) store<i32>(out, extremeInt(x, columns, true));
    else if (which == REDUCE_ARG_MIN) store<i32>(out, extremeInt(x, columns, false));
    else unreachable();
  }
}

/** any (MAX) and all (MIN) of bytes that are 0 or 1. */
export function reduceBytesJob(chunk: i32): void {
  const columns = int(4);
  const wanted: i32 = int(5) == REDUCE_MAX ? 1 : 0;
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let row = chunkStart(chunk, chunkCount(), int(3)); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    let found = 1 - wanted;
    for (let j = 0; j < columns; j++) {
      if (<i32>load<u8>(x + j) == wanted) {
        found = wanted;
        break;
      }
    }
    store<u8>(pointer(2) + row, found);
  }
}

/** Running sums in float64. Ints: x, bytes from one row to the next, out, rows, columns. */
export function cumsumJob(chunk: i32): void {
  const columns = int(4);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let row = chunkStart(chunk, chunkCount(), int(3)); row < end; row++) {
    let x = pointer(0) + <usize>row * pointer(1);
    let out = pointer(2) + ((<usize>row * <usize>columns) << 2);
    let sum: f64 = 0;
    for (let j = 0; j < columns; j++, x += 4, out += 4) {
      sum += <f64>load<f32>(x);
      store<f32>(out, <f32>sum);
    }
  }
}

/** Where `value` first stands among `count` floats; where NaN first stands if `value` is NaN. It must be there. */
function indexOf(x: usize, count: i32, value: f32): i32 {
  const values = f32x4.splat(value);
  const start = x;
  if (value != value) {
    while (load<f32>(x) == load<f32>(x)) x += 4;
  } else {
    const whole = x + (<usize>(count >> 2) << 4);
    while (x < whole && !v128.any_true(f32x4.eq(v128.load(x), values))) x += 16;
    while (load<f32>(x) != value) x += 4;
  }
  return <i32>((x - start) >> 2);
}

function productOf(x: usize, count: i32): f64 {
  let product: f64 = 1;
  for (let j = 0; j < count; j++) product *= <f64>load<f32>(x + (<usize>j << 2));
  return product;
}

function sumOfInts(x: usize, count: i32): i32 {
  let sum = 0;
  for (let j = 0; j < count; j++) sum += load<i32>(x + (<usize>j << 2));
  return sum;
}

function productOfInts(x: usize, count: i32): i32 {
  let product = 1;
  for (let j = 0; j < count; j++) product *= load<i32>(x + (<usize>j << 2));
  return product;
}

/** Index of the first largest or first smallest of `count` integers. */
function extremeInt(x: usize, count: i32, largest: bool): i32 {
  let best = load<i32>(x);
  let index = 0;
  for (let j = 1; j < count; j++) {
    const value = load<i32>(x + (<usize>j << 2));
    if (largest ? value > best : value < best) {
      best = value;
      index = j;
    }
  }
  return index;
}
