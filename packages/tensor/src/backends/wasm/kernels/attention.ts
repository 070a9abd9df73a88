// Attention of one block of queries (or one query) over a past and the new keys, without a matrix of all scores.
//
// The bits of a result depend on the query, the keys and the values alone, not on what else is computed with it: scores
// are summed in one way (attention-scores.ts); their exponentials are summed in the order of the keys in float64; values
// are summed key by key within blocks of KEY_BLOCK keys counted from key 0 of the past, and the block sums are added in
// order. Prefill, decode and packed batches all go through these same steps.
import {
  KEY_BLOCK,
  TASK_BYTES,
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
  VECTORS_BF16,
  VECTORS_INT8,
} from "../abi";
import { scoreBf16, unpackBf16, valuesBf16 } from "./attention-bf16";
import { attendBlockInt8, attendOneInt8 } from "./attention-int8";
import { exponentials, score1x1, score1x4, scoreBlock } from "./attention-scores";
import { addRow, divideRow, packValues, values1, values4x8 } from "./attention-values";
import { chunkCount, float, int, pointer } from "./control";

/**
 * Ints: number of tasks, address of the first (../abi.ts has their fields), D, D rounded up to 8 (int8: to 16), address and bytes
 * of scratch memory per chunk, floats of a row of scores, rows of scores, how keys and values are kept, and their blocks of 16
 * bytes. Float: the scale. Chunk c takes tasks c, c + chunks, …
 *
 * Scratch memory of a chunk: rows of scores, as many sums of exponentials (f64), as many block sums of values, one block
 * of keys or values; then, where these are bfloat16, a query. (attention-int8.ts divides it in a way of its own.)
 */
export function attentionJob(chunk: i32): void {
  const tasks = int(0);
  const chunks = chunkCount();
  const scratch = pointer(4) + <usize>chunk * pointer(5);
  for (let task = chunk; task < tasks; task += chunks) {
    const address = pointer(1) + <usize>task * TASK_BYTES;
    const alone = load<i32>(address, TASK_QUERIES) == 1;
    if (int(8) == VECTORS_INT8) {
      if (alone) attendOneInt8(address, scratch);
      else attendBlockInt8(address, scratch);
    } else if (alone) attendOne(address, scratch);
    else attendBlock(address, scratch);
  }
}

/** Several queries, one head: keys and values of a block are read once for all of them. */
function attendBlock(task: usize, scratch: usize): void {
  const depth = int(2);
  const width = int(3);
  const widthBytes = <usize>width << 2;
  const scoreRow = pointer(6) << 2;
  const rows = pointer(7);
  const queries = load<i32>(task, TASK_QUERIES);
  const visible = load<i32>(task, TASK_VISIBLE);
  const step = load<i32>(task, TASK_VISIBLE_STEP);
  const past = load<i32>(task, TASK_PAST_LENGTH);
  const query = load<usize>(task, TASK_QUERY);
  const queryRow = load<usize>(task, TASK_QUERY_ROW);
  const out = load<usize>(task, TASK_OUT);
  const outRow = load<usize>(task, TASK_OUT_ROW);
  const pastV = load<usize>(task, TASK_PAST_V);
  const pastVRow = load<usize>(task, TASK_PAST_V_ROW);
  const newV = load<usize>(task, TASK_NEW_V);
  const newVRow = load<usize>(task, TASK_NEW_V_ROW);
  const scores = scratch;
  const sums = scores + rows * scoreRow;
  const blockSums = sums + (rows << 3);
  const values = blockSums + rows * widthBytes;
  const keys = visible + (queries - 1) * step;

  const pastK = load<usize>(task, TASK_PAST_K);
  const newK = load<usize>(task, TASK_NEW_K);
  const pastKRow = load<usize>(task, TASK_PAST_K_ROW);
  const newKRow = load<usize>(task, TASK_NEW_K_ROW);
  scoreKeys(query, queryRow, queries, pastK, pastKRow, past, scores, values);
  const newScores = scores + (<usize>past << 2);
  scoreKeys(query, queryRow, queries, newK, newKRow, keys - past, newScores, values);
  for (let i = 0; i < queries; i++) {
    store<f64>(sums + (<usize>i << 3), exponentials(scores + <usize>i * scoreRow, visible + i * step));
  }

  for (let start = 0; start < keys; start += KEY_BLOCK) {
    const length = min(KEY_BLOCK, keys - start);
    const fromPast = max(0, min(length, past - start));
    gatherValues(pastV + <usize>start * pastVRow, pastVRow, fromPast, values);
    gatherValues(
      newV + <usize>(start + fromPast - past) * newVRow,
      newVRow,
      length - fromPast,
      values + <usize>fromPast * widthBytes,
    );
    memory.fill(blockSums, 0, <usize>queries * widthBytes);
    for (let i = 0; i < queries; ) {
      const group = i + 4 <= queries ? 4 : 1;
      const weights = scores + <usize>i * scoreRow + (<usize>start << 2);
      const sum = blockSums + <usize>i * widthBytes;
      // Keys that all of the group see go through one loop; what later queries see beyond them follows one by one.
      let common = 0;
      if (group == 4) {
        common = max(0, min(length, visible + i * step - start));
        for (let at: usize = 0; at < widthBytes; at += 32) {
          values4x8(weights, scoreRow, values + at, widthBytes, common, sum + at, widthBytes);
        }
      }
      for (let j = 0; j < group; j++) {
        const more = min(length, visible + (i + j) * step - start) - common;
        values1(
          weights + <usize>j * scoreRow + (<usize>common << 2),
          values + <usize>common * widthBytes,
          widthBytes,
          more,
          width,
          sum + <usize>j * widthBytes,
        );
      }
      i += group;
    }
    for (let i = 0; i < queries; i++) {
      addRow(out + <usize>i * outRow, blockSums + <usize>i * widthBytes, depth, start == 0);
    }
  }
  for (let i = 0; i < queries; i++) {
    divideRow(out + <usize>i * outRow, depth, <f32>load<f64>(sums + (<usize>i << 3)));
  }
}

/** Scores of several queries with keys; keys of bfloat16 are unpacked, once for all of them, into `block`. */
function scoreKeys(
  query: usize,
  queryRow: usize,
  queries: i32,
  k: usize,
  kRow: usize,
  keys: i32,
  out: usize,
  block: usize,
): void {
  const depth = int(2);
  const scoreRow = pointer(6) << 2;
  const scale = float(0);
  if (int(8) != VECTORS_BF16) {
    scoreBlock(query, queryRow, queries, k, kRow, keys, depth, scale, out, scoreRow);
    return;
  }
  const blockRow = <usize>int(3) << 2;
  for (let start = 0; start < keys; start += KEY_BLOCK, k += KEY_BLOCK * kRow, out += KEY_BLOCK << 2) {
    const count = min(KEY_BLOCK, keys - start);
    unpackBf16(k, kRow, count, int(9), block);
    scoreBlock(query, queryRow, queries, block, blockRow, count, depth, scale, out, scoreRow);
  }
}

/** Values as rows of floats without gaps. */
function gatherValues(v: usize, vRow: usize, count: i32, to: usize): void {
  if (int(8) == VECTORS_BF16) unpackBf16(v, vRow, count, int(9), to);
  else packValues(v, vRow, count, int(2), to, int(3));
}

/** One query, several heads: head by head, as the rows of a KV cache lie. */
function attendOne(task: usize, scratch: usize): void {
  const depth = int(2);
  const widthBytes = <usize>int(3) << 2;
  const scoreRow = pointer(6) << 2;
  const rows = pointer(7);
  const heads = load<i32>(task, TASK_HEADS);
  const keys = load<i32>(task, TASK_VISIBLE);
  const past = load<i32>(task, TASK_PAST_LENGTH);
  const out = load<usize>(task, TASK_OUT);
  const scores = scratch;
  const sums = scores + rows * scoreRow;
  const blockSums = sums + (rows << 3);
  const padded = blockSums + (rows + KEY_BLOCK) * widthBytes;

  const pastKRow = load<usize>(task, TASK_PAST_K_ROW);
  const pastKHead = load<usize>(task, TASK_PAST_K_HEAD);
  scoreHeads(task, load<usize>(task, TASK_PAST_K), pastKRow, pastKHead, past, scores, padded);
  const newScores = scores + (<usize>past << 2);
  const newKRow = load<usize>(task, TASK_NEW_K_ROW);
  const newKHead = load<usize>(task, TASK_NEW_K_HEAD);
  scoreHeads(task, load<usize>(task, TASK_NEW_K), newKRow, newKHead, keys - past, newScores, padded);
  for (let head = 0; head < heads; head++) {
    store<f64>(sums + (<usize>head << 3), exponentials(scores + <usize>head * scoreRow, keys));
  }

  const pastVRow = load<usize>(task, TASK_PAST_V_ROW);
  const newVRow = load<usize>(task, TASK_NEW_V_ROW);
  const pastVHead = load<usize>(task, TASK_PAST_V_HEAD);
  const newVHead = load<usize>(task, TASK_NEW_V_HEAD);
  for (let start = 0; start < keys; start += KEY_BLOCK) {
    const end = min(start + KEY_BLOCK, keys);
    const pastEnd = max(start, min(end, past));
    memory.fill(blockSums, 0, <usize>heads * widthBytes);
    const pastV = load<usize>(task, TASK_PAST_V) + <usize>start * pastVRow;
    sumHeads(scores + (<usize>start << 2), heads, pastV, pastVRow, pastVHead, pastEnd - start, blockSums);
    const newV = load<usize>(task, TASK_NEW_V) + <usize>(pastEnd - past) * newVRow;
    sumHeads(scores + (<usize>pastEnd << 2), heads, newV, newVRow, newVHead, end - pastEnd, blockSums);
    for (let head = 0; head < heads; head++) {
      addRow(out + <usize>(head * depth << 2), blockSums + <usize>head * widthBytes, depth, start == 0);
    }
  }
  for (let head = 0; head < heads; head++) {
    divideRow(out + <usize>(head * depth << 2), depth, <f32>load<f64>(sums + (<usize>head << 3)));
  }
}

/** Scores of a task's one query with `keys` keys, for each of its heads. `padded`: room for the query of a head. */
function scoreHeads(task: usize, k: usize, kRow: usize, kHead: usize, keys: i32, scores: usize, padded: usize): void {
  const depth = int(2);
  const scoreRow = pointer(6) << 2;
  const scale = float(0);
  const heads = load<i32>(task, TASK_HEADS);
  const query = load<usize>(task, TASK_QUERY);
  const queryHead = load<usize>(task, TASK_QUERY_HEAD);
  for (let head: usize = 0; head < <usize>heads; head++) {
    const q = query + head * queryHead;
    let from = k + head * kHead;
    let to = scores + head * scoreRow;
    if (int(8) == VECTORS_BF16) {
      packValues(q, 0, 1, depth, padded, int(3));
      scoreBf16(padded, from, kRow, keys, int(9), scale, to);
      continue;
    }
    let key = 0;
    for (; key + 4 <= keys; key += 4, from += kRow << 2, to += 16) score1x4(q, from, kRow, depth, scale, to);
    for (; key < keys; key++, from += kRow, to += 4) score1x1(q, from, depth, scale, to);
  }
}

/** Adds `keys` values, weighted, to the block sums of each head. */
function sumHeads(weights: usize, heads: i32, v: usize, vRow: usize, vHead: usize, keys: i32, blockSums: usize): void {
  const depth = int(2);
  const widthBytes = <usize>int(3) << 2;
  const scoreRow = pointer(6) << 2;
  for (let head: usize = 0; head < <usize>heads; head++) {
    const w = weights + head * scoreRow;
    const from = v + head * vHead;
    const sums = blockSums + head * widthBytes;
    if (int(8) == VECTORS_BF16) valuesBf16(w, from, vRow, keys, int(9), sums);
    else values1(w, from, vRow, keys, depth, sums);
  }
}
