// Attention over keys and values that are 8-bit integers with a scale for each vector (vectors.ts): sums of integers, which are exact,
// so that their order is free. A query becomes 16-bit integers with a step; the weights of the values within a block of KEY_BLOCK
// keys, which are the exponentials times the values' scales, do too. A sum of 64 products with a key, or of KEY_BLOCK products
// with weights, stays below 2^31. Sums become floats once, and are then multiplied by their scales; block sums are added in order.
import {
  KEY_BLOCK,
  TASK_HEADS,
  TASK_NEW_K,
  TASK_NEW_K_HEAD,
  TASK_NEW_K_ROW,
  TASK_NEW_V,
  TASK_NEW_V_HEAD,
  TASK_NEW_V_ROW,
  TASK_OUT,
  TASK_OUT_ROW,
  TASK_PAST_K,
  TASK_PAST_K_HEAD,
  TASK_PAST_K_ROW,
  TASK_PAST_LENGTH,
  TASK_PAST_V,
  TASK_PAST_V_HEAD,
  TASK_PAST_V_ROW,
  TASK_QUERIES,
  TASK_QUERY,
  TASK_QUERY_HEAD,
  TASK_QUERY_ROW,
  TASK_VISIBLE,
  TASK_VISIBLE_STEP,
} from "../abi";
import { exponentials } from "./attention-scores";
import { addRow, divideRow, multiplyRow } from "./attention-values";
import { float, int, pointer } from "./control";
import { inverseStep, largest, shorts, stepOf } from "./vectors";

/** The largest of the 16-bit integers. */
const MOST: i32 = 32767;

// Scratch memory of a chunk: rows of scores; as many sums of exponentials (f64), rows of integers of a query, its scale, rows of
// integers of weights, their scales, and block sums of values; then the block of keys or values at hand.
function sumsAt(scratch: usize): usize {
  return scratch + pointer(7) * (pointer(6) << 2);
}
function queriesAt(scratch: usize): usize {
  return sumsAt(scratch) + (pointer(7) << 3);
}
function weightsAt(scratch: usize): usize {
  return queriesAt(scratch) + pointer(7) * ((pointer(3) << 1) + 4);
}
function blockSumsAt(scratch: usize): usize {
  return weightsAt(scratch) + pointer(7) * ((KEY_BLOCK << 1) + 4);
}
function blockAt(scratch: usize): usize {
  return blockSumsAt(scratch) + pointer(7) * (pointer(3) << 2);
}

/** Several queries, one head: keys and values of a block are unpacked once for all of them. */
export function attendBlockInt8(task: usize, scratch: usize): void {
  const depth = int(2);
  const width = int(3);
  const scoreRow = pointer(6) << 2;
  const queries = load<i32>(task, TASK_QUERIES);
  const visible = load<i32>(task, TASK_VISIBLE);
  const step = load<i32>(task, TASK_VISIBLE_STEP);
  const past = load<i32>(task, TASK_PAST_LENGTH);
  const out = load<usize>(task, TASK_OUT);
  const outRow = load<usize>(task, TASK_OUT_ROW);
  const pastV = load<usize>(task, TASK_PAST_V);
  const pastVRow = load<usize>(task, TASK_PAST_V_ROW);
  const newV = load<usize>(task, TASK_NEW_V);
  const newVRow = load<usize>(task, TASK_NEW_V_ROW);
  const keys = visible + (queries - 1) * step;
  const sums = sumsAt(scratch);
  const blockSums = blockSumsAt(scratch);
  const block = blockAt(scratch);
  const scales = block + KEY_BLOCK * (<usize>width << 2);

  const integers = queriesAt(scratch);
  const steps = integers + pointer(7) * (<usize>width << 1);
  const query = load<usize>(task, TASK_QUERY);
  const queryRow = load<usize>(task, TASK_QUERY_ROW);
  for (let i: usize = 0; i < <usize>queries; i++) {
    const scale = float(0) * quantize(query + i * queryRow, depth, integers + i * (<usize>width << 1), width);
    store<f32>(steps + (i << 2), scale);
  }
  const pastKRow = load<usize>(task, TASK_PAST_K_ROW);
  const newKRow = load<usize>(task, TASK_NEW_K_ROW);
  scoreBlocks(integers, steps, queries, load<usize>(task, TASK_PAST_K), pastKRow, past, scratch, block, scales);
  const newScores = scratch + (<usize>past << 2);
  scoreBlocks(integers, steps, queries, load<usize>(task, TASK_NEW_K), newKRow, keys - past, newScores, block, scales);
  for (let i = 0; i < queries; i++) {
    store<f64>(sums + (<usize>i << 3), exponentials(scratch + <usize>i * scoreRow, visible + i * step));
  }

  const weights = weightsAt(scratch);
  const weightSteps = weights + pointer(7) * (KEY_BLOCK << 1);
  for (let start = 0; start < keys; start += KEY_BLOCK) {
    const length = min(KEY_BLOCK, keys - start);
    const fromPast = max(0, min(length, past - start));
    gatherPairs(
      pastV + <usize>start * pastVRow,
      pastVRow,
      fromPast,
      newV + <usize>(start + fromPast - past) * newVRow,
      newVRow,
      length - fromPast,
      block,
      scales,
    );
    for (let i = 0; i < queries; i++) {
      const seen = max(0, min(length, visible + i * step - start));
      const exps = scratch + <usize>i * scoreRow + (<usize>start << 2);
      multiplyRow(exps, scales, seen);
      store<f32>(weightSteps + (<usize>i << 2), quantize(exps, seen, weights + <usize>i * (KEY_BLOCK << 1), KEY_BLOCK));
    }
    for (let i = 0; i < queries; i += 4) {
      const most = max(0, min(length, visible + min(i + 3, queries - 1) * step - start));
      values4(weights + <usize>i * (KEY_BLOCK << 1), block, most, blockSums + <usize>i * (<usize>width << 2));
    }
    for (let i = 0; i < queries; i++) {
      if (visible + i * step <= start) continue; // sees no key of this block
      const sum = blockSums + <usize>i * (<usize>width << 2);
      toFloats(sum, load<f32>(weightSteps + (<usize>i << 2)));
      addRow(out + <usize>i * outRow, sum, depth, start == 0);
    }
  }
  for (let i = 0; i < queries; i++) {
    divideRow(out + <usize>i * outRow, depth, <f32>load<f64>(sums + (<usize>i << 3)));
  }
}

/** One query, several heads: head by head, as the vectors of a KV cache lie, which are read without unpacking them to memory. */
export function attendOneInt8(task: usize, scratch: usize): void {
  const depth = int(2);
  const width = int(3);
  const blocks = int(9);
  const keys = load<i32>(task, TASK_VISIBLE);
  const past = load<i32>(task, TASK_PAST_LENGTH);
  const pastKRow = load<usize>(task, TASK_PAST_K_ROW);
  const newKRow = load<usize>(task, TASK_NEW_K_ROW);
  const pastVRow = load<usize>(task, TASK_PAST_V_ROW);
  const newVRow = load<usize>(task, TASK_NEW_V_ROW);
  const integers = queriesAt(scratch);
  const weights = weightsAt(scratch);
  const blockSums = blockSumsAt(scratch);
  const scales = blockAt(scratch);
  const scaleAt = <usize>blocks << 4;
  const heads = load<i32>(task, TASK_HEADS);
  for (let head: usize = 0; head < <usize>heads; head++) {
    const query = load<usize>(task, TASK_QUERY) + head * load<usize>(task, TASK_QUERY_HEAD);
    const pastK = load<usize>(task, TASK_PAST_K) + head * load<usize>(task, TASK_PAST_K_HEAD);
    const newK = load<usize>(task, TASK_NEW_K) + head * load<usize>(task, TASK_NEW_K_HEAD);
    const scale = float(0) * quantize(query, depth, integers, width);
    scoreKeys(integers, pastK, pastKRow, past, blocks, scale, scratch);
    scoreKeys(integers, newK, newKRow, keys - past, blocks, scale, scratch + (<usize>past << 2));
    const sum = exponentials(scratch, keys);

    const pastV = load<usize>(task, TASK_PAST_V) + head * load<usize>(task, TASK_PAST_V_HEAD);
    const newV = load<usize>(task, TASK_NEW_V) + head * load<usize>(task, TASK_NEW_V_HEAD);
    const out = load<usize>(task, TASK_OUT) + head * (<usize>depth << 2);
    for (let start = 0; start < keys; start += KEY_BLOCK) {
      const length = min(KEY_BLOCK, keys - start);
      const fromPast = max(0, min(length, past - start));
      const pastRows = pastV + <usize>start * pastVRow;
      const newRows = newV + <usize>(start + fromPast - past) * newVRow;
      const exps = scratch + (<usize>start << 2);
      gatherScales(pastRows + scaleAt, pastVRow, fromPast, scales);
      gatherScales(newRows + scaleAt, newVRow, length - fromPast, scales + (<usize>fromPast << 2));
      multiplyRow(exps, scales, length);
      const step = quantize(exps, length, weights, KEY_BLOCK);
      memory.fill(blockSums, 0, <usize>width << 2);
      sumValues(weights, pastRows, pastVRow, fromPast, blocks, blockSums);
      sumValues(weights + (<usize>fromPast << 1), newRows, newVRow, length - fromPast, blocks, blockSums);
      toFloats(blockSums, step);
      addRow(out, blockSums, depth, start == 0);
    }
    divideRow(out, depth, <f32>sum);
  }
}

/** `count` floats as 16-bit integers, then zeros up to `room` (a multiple of 8); returns what takes them back. */
function quantize(x: usize, count: i32, to: usize, room: i32): f32 {
  const most = largest(x, count);
  const inverse = inverseStep(most, MOST);
  for (let i = 0; i < room; i += 8, x += 32, to += 16) v128.store(to, shorts(x, count - i, inverse));
  return stepOf(most, MOST);
}

/** Sums of integers as floats, times a step. */
function toFloats(sums: usize, step: f32): void {
  const factor = f32x4.splat(step);
  for (const end = sums + (pointer(3) << 2); sums < end; sums += 16) {
    v128.store(sums, f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), factor));
  }
}

function gatherScales(from: usize, row: usize, count: i32, to: usize): void {
  for (const end = to + (<usize>count << 2); to < end; to += 4, from += row) store<f32>(to, load<f32>(from));
}

// ---- scores

/** [Σ a, Σ b, Σ c, Σ d] */
// @ts-expect-error: decorator
@inline
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** Four scores of sums: times the query's scale, then each key's. */
// @ts-expect-error: decorator
@inline
function scoresOf(sums: v128, scale: f32, scales: v128): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.splat(scale)), scales);
}

/** Adds the products of 16 integers of a query with those of the key at an address. */
// @ts-expect-error: decorator
@inline
function addProducts(sum: v128, x: v128, y: v128, key: usize): v128 {
  sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load8x8_s(key), x));
  return i32x4.add(sum, i32x4.dot_i16x8_s(v128.load8x8_s(key, 8), y));
}

/** Scores of one query with keys as they lie. */
function scoreKeys(q: usize, k: usize, kRow: usize, keys: i32, blocks: i32, scale: f32, out: usize): void {
  const bytes = <usize>blocks << 4;
  let left = keys;
  for (; left >= 4; left -= 4, k += kRow << 2, out += 16) {
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let a2 = i32x4.splat(0);
    let a3 = i32x4.splat(0);
    let k0 = k;
    let k1 = k0 + kRow;
    let k2 = k1 + kRow;
    let k3 = k2 + kRow;
    let at = q;
    for (const end = k + bytes; k0 < end; k0 += 16, k1 += 16, k2 += 16, k3 += 16, at += 32) {
      const x = v128.load(at);
      const y = v128.load(at, 16);
      a0 = addProducts(a0, x, y, k0);
      a1 = addProducts(a1, x, y, k1);
      a2 = addProducts(a2, x, y, k2);
      a3 = addProducts(a3, x, y, k3);
    }
    let scales = v128.load32_zero(k0);
    scales = v128.load_lane<f32>(k1, scales, 1);
    scales = v128.load_lane<f32>(k2, scales, 2);
    scales = v128.load_lane<f32>(k3, scales, 3);
    v128.store(out, scoresOf(sumLanes(a0, a1, a2, a3), scale, scales));
  }
  for (; left > 0; left--, k += kRow, out += 4) {
    let sum = i32x4.splat(0);
    let at = q;
    let key = k;
    for (const end = k + bytes; key < end; key += 16, at += 32) {
      sum = addProducts(sum, v128.load(at), v128.load(at, 16), key);
    }
    v128.store_lane<f32>(out, scoresOf(sumLanes(sum, sum, sum, sum), scale, v128.load32_splat(key)), 0);
  }
}

/** Scores of several queries with keys, which are unpacked block by block. A row of scores has room for three more. */
function scoreBlocks(
  q: usize,
  steps: usize,
  queries: i32,
  k: usize,
  kRow: usize,
  keys: i32,
  out: usize,
  block: usize,
  scales: usize,
): void {
  const row = pointer(3) << 1;
  const scoreRow = pointer(6) << 2;
  for (let start = 0; start < keys; start += KEY_BLOCK, k += KEY_BLOCK * kRow, out += KEY_BLOCK << 2) {
    const count = min(KEY_BLOCK, keys - start);
    unpackKeys(k, kRow, count, block, scales);
    for (let key: usize = 0; key < <usize>count; key += 4) {
      const four = block + key * row;
      const factors = v128.load(scales + (key << 2));
      for (let i: usize = 0; i < <usize>queries; i += 2) {
        const second = i + 1 < <usize>queries ? i + 1 : i;
        const to = out + (key << 2);
        score2x4(
          q + i * row,
          q + second * row,
          four,
          load<f32>(steps + (i << 2)),
          load<f32>(steps + (second << 2)),
          factors,
          to + i * scoreRow,
          to + second * scoreRow,
        );
      }
    }
  }
}

/** Keys as rows of 16-bit integers, and their scales; zeros up to a multiple of four keys. */
function unpackKeys(k: usize, kRow: usize, count: i32, to: usize, scales: usize): void {
  for (let i = 0; i < count; i++, k += kRow, scales += 4) {
    let from = k;
    for (const end = k + (pointer(9) << 4); from < end; from += 16, to += 32) {
      const bytes = v128.load(from);
      v128.store(to, i16x8.extend_low_i8x16_s(bytes));
      v128.store(to, i16x8.extend_high_i8x16_s(bytes), 16);
    }
    store<f32>(scales, load<f32>(from));
  }
  const missing = <usize>(-count & 3);
  memory.fill(to, 0, missing * (pointer(3) << 1));
  memory.fill(scales, 0, missing << 2);
}

/** Scores of two queries with four unpacked keys. */
function score2x4(
  q: usize,
  p: usize,
  k: usize,
  scaleQ: f32,
  scaleP: f32,
  scales: v128,
  outQ: usize,
  outP: usize,
): void {
  const row = pointer(3) << 1;
  let a0 = i32x4.splat(0);
  let a1 = i32x4.splat(0);
  let a2 = i32x4.splat(0);
  let a3 = i32x4.splat(0);
  let b0 = i32x4.splat(0);
  let b1 = i32x4.splat(0);
  let b2 = i32x4.splat(0);
  let b3 = i32x4.splat(0);
  let k1 = k + row;
  let k2 = k1 + row;
  let k3 = k2 + row;
  for (const end = k + row; k < end; k += 16, k1 += 16, k2 += 16, k3 += 16, q += 16, p += 16) {
    const x = v128.load(q);
    const y = v128.load(p);
    let key = v128.load(k);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(key, x));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(key, y));
    key = v128.load(k1);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(key, x));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(key, y));
    key = v128.load(k2);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(key, x));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(key, y));
    key = v128.load(k3);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(key, x));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(key, y));
  }
  v128.store(outQ, scoresOf(sumLanes(a0, a1, a2, a3), scaleQ, scales));
  v128.store(outP, scoresOf(sumLanes(b0, b1, b2, b3), scaleP, scales));
}

// ---- values. Two keys at a time: their bytes are interleaved, so that a product of 16-bit integers adds both.

/** sums[16 · blocks] += weights[keys] · v[keys], of values as they lie. */
function sumValues(weights: usize, v: usize, vRow: usize, keys: i32, blocks: i32, sums: usize): void {
  for (let block = 0; block < blocks; block++, v += 16, sums += 64) {
    let s0 = v128.load(sums);
    let s1 = v128.load(sums, 16);
    let s2 = v128.load(sums, 32);
    let s3 = v128.load(sums, 48);
    let w = weights;
    let value = v;
    for (const end = w + (<usize>(keys >> 1) << 2); w < end; w += 4, value += vRow << 1) {
      const pair = v128.load32_splat(w);
      const other = value + vRow;
      let a = v128.load8x8_s(value);
      let b = v128.load8x8_s(other);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), pair));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), pair));
      a = v128.load8x8_s(value, 8);
      b = v128.load8x8_s(other, 8);
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), pair));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), pair));
    }
    if (keys & 1) {
      const weight = i32x4.splat(load<i16>(w));
      const a = v128.load(value);
      const low = i16x8.extend_low_i8x16_s(a);
      const high = i16x8.extend_high_i8x16_s(a);
      s0 = i32x4.add(s0, i32x4.mul(i32x4.extend_low_i16x8_s(low), weight));
      s1 = i32x4.add(s1, i32x4.mul(i32x4.extend_high_i16x8_s(low), weight));
      s2 = i32x4.add(s2, i32x4.mul(i32x4.extend_low_i16x8_s(high), weight));
      s3 = i32x4.add(s3, i32x4.mul(i32x4.extend_high_i16x8_s(high), weight));
    }
    v128.store(sums, s0);
    v128.store(sums, s1, 16);
    v128.store(sums, s2, 32);
    v128.store(sums, s3, 48);
  }
}

/**
 * Values of a block, those of the past and then new ones, as [keys / 2, rounded up][width][2] 16-bit integers, and their scales.
 * (The bytes are gathered behind them first: a pair may have one of each.)
 */
function gatherPairs(
  pastV: usize,
  pastRow: usize,
  past: i32,
  newV: usize,
  newRow: usize,
  count: i32,
  to: usize,
  scales: usize,
): void {
  const row = pointer(9) << 4;
  const bytes = to + KEY_BLOCK * (row << 1);
  let at = bytes;
  for (let i = 0; i < past; i++, at += row, pastV += pastRow, scales += 4) {
    memory.copy(at, pastV, row);
    store<f32>(scales, load<f32>(pastV + row));
  }
  for (let i = 0; i < count; i++, at += row, newV += newRow, scales += 4) {
    memory.copy(at, newV, row);
    store<f32>(scales, load<f32>(newV + row));
  }
  if ((past + count) & 1) memory.fill(at, 0, row);
  for (let from = bytes; from < at; from += row) {
    for (const end = from + row; from < end; from += 16, to += 64) {
      const a = v128.load(from);
      const b = v128.load(from + row);
      const low = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const high = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      v128.store(to, i16x8.extend_low_i8x16_s(low));
      v128.store(to, i16x8.extend_high_i8x16_s(low), 16);
      v128.store(to, i16x8.extend_low_i8x16_s(high), 32);
      v128.store(to, i16x8.extend_high_i8x16_s(high), 48);
    }
  }
}

/** sums[4 rows][width] = weights[4 rows][keys] · pairs of values. */
function values4(weights: usize, pairs: usize, keys: i32, sums: usize): void {
  const width = pointer(3) << 2;
  const row: usize = KEY_BLOCK << 1;
  for (let column: usize = 0; column < width; column += 32) {
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let b0 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    let c0 = i32x4.splat(0);
    let c1 = i32x4.splat(0);
    let d0 = i32x4.splat(0);
    let d1 = i32x4.splat(0);
    let at = pairs + column;
    let w = weights;
    for (const end = w + (<usize>((keys + 1) >> 1) << 2); w < end; w += 4, at += width) {
      const x = v128.load(at);
      const y = v128.load(at, 16);
      let pair = v128.load32_splat(w);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, pair));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(y, pair));
      pair = v128.load32_splat(w + row);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(x, pair));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(y, pair));
      pair = v128.load32_splat(w + 2 * row);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, pair));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(y, pair));
      pair = v128.load32_splat(w + 3 * row);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(x, pair));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(y, pair));
    }
    const to = sums + column;
    v128.store(to, a0);
    v128.store(to, a1, 16);
    v128.store(to + width, b0);
    v128.store(to + width, b1, 16);
    v128.store(to + 2 * width, c0);
    v128.store(to + 2 * width, c1, 16);
    v128.store(to + 3 * width, d0);
    v128.store(to + 3 * width, d1, 16);
  }
}
