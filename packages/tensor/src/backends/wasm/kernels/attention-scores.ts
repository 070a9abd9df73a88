// Scores of queries with keys, and their exponentials. A score is four partial sums over D, each in order, added as
// (0 + 2) + (1 + 3): the same steps whichever of these functions computes it.
import { exp } from "./math";
import { loadSome, madd, storeSome } from "./simd";
import { sumOfLanes } from "./sums";

/** [Σ a, Σ b, Σ c, Σ d], each as (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Scores of queries q and q + qRow with four keys, `kRow` apart, into two rows of scores. */
function score2x4(q: usize, qRow: usize, k: usize, kRow: usize, depth: i32, scale: f32, out: usize, outRow: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  let p = q + qRow;
  let k1 = k + kRow;
  let k2 = k1 + kRow;
  let k3 = k2 + kRow;
  const end = q + (<usize>(depth >> 2) << 4);
  while (q < end) {
    const x = v128.load(q);
    const y = v128.load(p);
    let key = v128.load(k);
    a0 = madd(x, key, a0);
    b0 = madd(y, key, b0);
    key = v128.load(k1);
    a1 = madd(x, key, a1);
    b1 = madd(y, key, b1);
    key = v128.load(k2);
    a2 = madd(x, key, a2);
    b2 = madd(y, key, b2);
    key = v128.load(k3);
    a3 = madd(x, key, a3);
    b3 = madd(y, key, b3);
    q += 16;
    p += 16;
    k += 16;
    k1 += 16;
    k2 += 16;
    k3 += 16;
  }
  const rest = depth & 3;
  if (rest) {
    const x = loadSome(q, rest);
    const y = loadSome(p, rest);
    let key = loadSome(k, rest);
    a0 = madd(x, key, a0);
    b0 = madd(y, key, b0);
    key = loadSome(k1, rest);
    a1 = madd(x, key, a1);
    b1 = madd(y, key, b1);
    key = loadSome(k2, rest);
    a2 = madd(x, key, a2);
    b2 = madd(y, key, b2);
    key = loadSome(k3, rest);
    a3 = madd(x, key, a3);
    b3 = madd(y, key, b3);
  }
  v128.store(out, f32x4.mul(sumLanes(a0, a1, a2, a3), f32x4.splat(scale)));
  v128.store(out + outRow, f32x4.mul(sumLanes(b0, b1, b2, b3), f32x4.splat(scale)));
}

/** Scores of one query with four keys. */
export function score1x4(q: usize, k: usize, kRow: usize, depth: i32, scale: f32, out: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let k1 = k + kRow;
  let k2 = k1 + kRow;
  let k3 = k2 + kRow;
  const end = q + (<usize>(depth >> 2) << 4);
  while (q < end) {
    const x = v128.load(q);
    a0 = madd(x, v128.load(k), a0);
    a1 = madd(x, v128.load(k1), a1);
    a2 = madd(x, v128.load(k2), a2);
    a3 = madd(x, v128.load(k3), a3);
    q += 16;
    k += 16;
    k1 += 16;
    k2 += 16;
    k3 += 16;
  }
  const rest = depth & 3;
  if (rest) {
    const x = loadSome(q, rest);
    a0 = madd(x, loadSome(k, rest), a0);
    a1 = madd(x, loadSome(k1, rest), a1);
    a2 = madd(x, loadSome(k2, rest), a2);
    a3 = madd(x, loadSome(k3, rest), a3);
  }
  v128.store(out, f32x4.mul(sumLanes(a0, a1, a2, a3), f32x4.splat(scale)));
}

/** Score of one query with one key. */
export function score1x1(q: usize, k: usize, depth: i32, scale: f32, out: usize): void {
  let a = f32x4.splat(0);
  const end = q + (<usize>(depth >> 2) << 4);
  while (q < end) {
    a = madd(v128.load(q), v128.load(k), a);
    q += 16;
    k += 16;
  }
  const rest = depth & 3;
  if (rest) a = madd(loadSome(q, rest), loadSome(k, rest), a);
  v128.store_lane<f32>(out, f32x4.mul(sumLanes(a, a, a, a), f32x4.splat(scale)), 0);
}

/** Scores of `queries` queries with `keys` keys into rows of scores. */
export function scoreBlock(
  q: usize,
  qRow: usize,
  queries: i32,
  k: usize,
  kRow: usize,
  keys: i32,
  depth: i32,
  scale: f32,
  out: usize,
  outRow: usize,
): void {
  let key = 0;
  for (; key + 4 <= keys; key += 4, k += kRow << 2, out += 16) {
    let row = 0;
    for (; row + 2 <= queries; row += 2) {
      score2x4(q + <usize>row * qRow, qRow, k, kRow, depth, scale, out + <usize>row * outRow, outRow);
    }
    if (row < queries) score1x4(q + <usize>row * qRow, k, kRow, depth, scale, out + <usize>row * outRow);
  }
  for (; key < keys; key++, k += kRow, out += 4) {
    for (let row = 0; row < queries; row++) score1x1(q + <usize>row * qRow, k, depth, scale, out + <usize>row * outRow);
  }
}

/** Replaces `count` scores by their exponentials less the largest; returns the sum of these. */
export function exponentials(scores: usize, count: i32): f64 {
  const end = scores + (<usize>(count >> 2) << 4);
  const rest = count & 3;
  let most = f32x4.splat(f32.NEGATIVE_INFINITY);
  for (let at = scores; at < end; at += 16) most = f32x4.pmax(most, v128.load(at));
  for (let i = 0; i < rest; i++) most = f32x4.pmax(most, v128.load32_splat(end + (<usize>i << 2)));
  most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let at = scores; at < end; at += 16) {
    const e = exp(f32x4.sub(v128.load(at), most));
    v128.store(at, e);
    low = f64x2.add(low, f64x2.promote_low_f32x4(e));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(e, e, 2, 3, 2, 3)));
  }
  let sum = sumOfLanes(low, high);
  if (rest) {
    const e = exp(f32x4.sub(loadSome(end, rest), most));
    storeSome(end, e, rest);
    sum += <f64>f32x4.extract_lane(e, 0);
    if (rest > 1) sum += <f64>f32x4.extract_lane(e, 1);
    if (rest > 2) sum += <f64>f32x4.extract_lane(e, 2);
  }
  return sum;
}
