// Scores and sums of values for one query, of keys and values in fewer bits, which are read as they lie. The steps are those of
// attention-scores.ts and attention-values.ts with the vectors unpacked (unpackVectors); of integers a score is multiplied by
// its key's scale, and a weight by its value's.
import { sumLanes } from "./attention-scores";
import { madd } from "./simd";
import { floatBytes, part, partMask } from "./vectors";

/** Scores of a query, padded with zeros to whole blocks, with `keys` keys of `blocks` times 16 bytes. */
export function scoreEncoded(
  q: usize,
  k: usize,
  kRow: usize,
  keys: i32,
  blocks: i32,
  scale: f32,
  out: usize,
  int8: bool,
): void {
  if (int8) scoreKeys(q, k, kRow, keys, blocks, scale, out, true);
  else scoreKeys(q, k, kRow, keys, blocks, scale, out, false);
}

// @ts-expect-error: decorator
@inline
function scoreKeys(
  q: usize,
  k: usize,
  kRow: usize,
  keys: i32,
  blocks: i32,
  scale: f32,
  out: usize,
  int8: bool,
): void {
  let key = 0;
  for (; key + 4 <= keys; key += 4, k += kRow << 2, out += 16) score1x4(q, k, kRow, blocks, scale, out, int8);
  for (; key < keys; key++, k += kRow, out += 4) score1x1(q, k, blocks, scale, out, int8);
}

// @ts-expect-error: decorator
@inline
function score1x4(q: usize, k: usize, kRow: usize, blocks: i32, scale: f32, out: usize, int8: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let k1 = k + kRow;
  let k2 = k1 + kRow;
  let k3 = k2 + kRow;
  const mask = partMask(int8);
  for (const end = k + (<usize>blocks << 4); k < end; k += 16) {
    const x0 = v128.load(q);
    const x1 = v128.load(q, 16);
    const x2 = int8 ? v128.load(q, 32) : x0;
    const x3 = int8 ? v128.load(q, 48) : x1;
    a0 = addProducts(a0, x0, x1, x2, x3, v128.load(k), mask, int8);
    a1 = addProducts(a1, x0, x1, x2, x3, v128.load(k1), mask, int8);
    a2 = addProducts(a2, x0, x1, x2, x3, v128.load(k2), mask, int8);
    a3 = addProducts(a3, x0, x1, x2, x3, v128.load(k3), mask, int8);
    q += floatBytes(int8);
    k1 += 16;
    k2 += 16;
    k3 += 16;
  }
  let scores = f32x4.mul(sumLanes(a0, a1, a2, a3), f32x4.splat(scale));
  if (int8) {
    let scales = v128.load32_zero(k);
    scales = v128.load_lane<f32>(k1, scales, 1);
    scales = v128.load_lane<f32>(k2, scales, 2);
    scales = v128.load_lane<f32>(k3, scales, 3);
    scores = f32x4.mul(scores, scales);
  }
  v128.store(out, scores);
}

// @ts-expect-error: decorator
@inline
function score1x1(q: usize, k: usize, blocks: i32, scale: f32, out: usize, int8: bool): void {
  let a = f32x4.splat(0);
  const mask = partMask(int8);
  for (const end = k + (<usize>blocks << 4); k < end; k += 16, q += floatBytes(int8)) {
    const x0 = v128.load(q);
    const x1 = v128.load(q, 16);
    const x2 = int8 ? v128.load(q, 32) : x0;
    const x3 = int8 ? v128.load(q, 48) : x1;
    a = addProducts(a, x0, x1, x2, x3, v128.load(k), mask, int8);
  }
  let score = f32x4.mul(sumLanes(a, a, a, a), f32x4.splat(scale));
  if (int8) score = f32x4.mul(score, v128.load32_splat(k));
  v128.store_lane<f32>(out, score, 0);
}

/** Adds the products of a query's next numbers with those of 16 bytes of a key. */
// @ts-expect-error: decorator
@inline
function addProducts(sum: v128, x0: v128, x1: v128, x2: v128, x3: v128, bytes: v128, mask: v128, int8: bool): v128 {
  sum = madd(x0, part(bytes, 0, mask, int8), sum);
  sum = madd(x1, part(bytes, 1, mask, int8), sum);
  if (!int8) return sum;
  sum = madd(x2, part(bytes, 2, mask, int8), sum);
  return madd(x3, part(bytes, 3, mask, int8), sum);
}

/** out += weights[keys] · v[keys], of values of `blocks` times 16 bytes. */
export function valuesEncoded(
  w: usize,
  v: usize,
  vRow: usize,
  keys: i32,
  blocks: i32,
  out: usize,
  int8: bool,
): void {
  if (int8) sumValues(w, v, vRow, keys, blocks, out, true);
  else sumValues(w, v, vRow, keys, blocks, out, false);
}

// @ts-expect-error: decorator
@inline
function sumValues(w: usize, v: usize, vRow: usize, keys: i32, blocks: i32, out: usize, int8: bool): void {
  const bytes = <usize>blocks << 4;
  const mask = partMask(int8);
  let key = 0;
  for (; key + 4 <= keys; key += 4, w += 16) {
    let v1 = v + vRow;
    let v2 = v1 + vRow;
    let v3 = v2 + vRow;
    const w0 = weightOf(w, v + bytes, int8);
    const w1 = weightOf(w + 4, v1 + bytes, int8);
    const w2 = weightOf(w + 8, v2 + bytes, int8);
    const w3 = weightOf(w + 12, v3 + bytes, int8);
    const next = v3 + vRow;
    let at = out;
    for (const end = v + bytes; v < end; v += 16, v1 += 16, v2 += 16, v3 += 16, at += floatBytes(int8)) {
      const b0 = v128.load(v);
      const b1 = v128.load(v1);
      const b2 = v128.load(v2);
      const b3 = v128.load(v3);
      addFour(at, 0, w0, w1, w2, w3, b0, b1, b2, b3, mask, int8);
      addFour(at, 1, w0, w1, w2, w3, b0, b1, b2, b3, mask, int8);
      if (int8) {
        addFour(at, 2, w0, w1, w2, w3, b0, b1, b2, b3, mask, int8);
        addFour(at, 3, w0, w1, w2, w3, b0, b1, b2, b3, mask, int8);
      }
    }
    v = next;
  }
  for (; key < keys; key++, w += 4, v += vRow) {
    const weight = weightOf(w, v + bytes, int8);
    let at = out;
    let from = v;
    for (const end = v + bytes; from < end; from += 16, at += floatBytes(int8)) {
      const numbers = v128.load(from);
      addOne(at, 0, weight, numbers, mask, int8);
      addOne(at, 1, weight, numbers, mask, int8);
      if (int8) {
        addOne(at, 2, weight, numbers, mask, int8);
        addOne(at, 3, weight, numbers, mask, int8);
      }
    }
  }
}

/** What a value's numbers are multiplied by. */
// @ts-expect-error: decorator
@inline
function weightOf(w: usize, scale: usize, int8: bool): v128 {
  const weight = v128.load32_splat(w);
  return int8 ? f32x4.mul(weight, v128.load32_splat(scale)) : weight;
}

/** Adds part `n` of four values to the sums at `at`. */
// @ts-expect-error: decorator
@inline
function addFour(
  at: usize,
  n: i32,
  w0: v128,
  w1: v128,
  w2: v128,
  w3: v128,
  b0: v128,
  b1: v128,
  b2: v128,
  b3: v128,
  mask: v128,
  int8: bool,
): void {
  let sum = madd(w0, part(b0, n, mask, int8), v128.load(at + (<usize>n << 4)));
  sum = madd(w1, part(b1, n, mask, int8), sum);
  sum = madd(w2, part(b2, n, mask, int8), sum);
  v128.store(at + (<usize>n << 4), madd(w3, part(b3, n, mask, int8), sum));
}

/** Adds part `n` of a value. */
// @ts-expect-error: decorator
@inline
function addOne(at: usize, n: i32, weight: v128, numbers: v128, mask: v128, int8: bool): void {
  v128.store(at + (<usize>n << 4), madd(weight, part(numbers, n, mask, int8), v128.load(at + (<usize>n << 4))));
}
