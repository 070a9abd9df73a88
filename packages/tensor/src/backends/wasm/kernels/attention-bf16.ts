// Scores and sums of values for keys and values in bfloat16, in blocks of 16 bytes, which one query reads as they lie. The steps are
// those of attention-scores.ts and attention-values.ts with the vectors unpacked.
import { sumLanes } from "./attention-scores";
import { high, low, upperHalves } from "./bf16";
import { madd } from "./simd";

/** Scores of a query, padded with zeros to whole blocks, with `keys` keys. */
export function scoreBf16(q: usize, k: usize, kRow: usize, keys: i32, blocks: i32, scale: f32, out: usize): void {
  let key = 0;
  for (; key + 4 <= keys; key += 4, k += kRow << 2, out += 16) score1x4(q, k, kRow, blocks, scale, out);
  for (; key < keys; key++, k += kRow, out += 4) score1x1(q, k, blocks, scale, out);
}

function score1x4(q: usize, k: usize, kRow: usize, blocks: i32, scale: f32, out: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let k1 = k + kRow;
  let k2 = k1 + kRow;
  let k3 = k2 + kRow;
  const upper = upperHalves();
  for (const end = k + (<usize>blocks << 4); k < end; q += 32, k += 16, k1 += 16, k2 += 16, k3 += 16) {
    const x = v128.load(q);
    const y = v128.load(q, 16);
    let key = v128.load(k);
    a0 = madd(y, high(key, upper), madd(x, low(key), a0));
    key = v128.load(k1);
    a1 = madd(y, high(key, upper), madd(x, low(key), a1));
    key = v128.load(k2);
    a2 = madd(y, high(key, upper), madd(x, low(key), a2));
    key = v128.load(k3);
    a3 = madd(y, high(key, upper), madd(x, low(key), a3));
  }
  v128.store(out, f32x4.mul(sumLanes(a0, a1, a2, a3), f32x4.splat(scale)));
}

function score1x1(q: usize, k: usize, blocks: i32, scale: f32, out: usize): void {
  let a = f32x4.splat(0);
  const upper = upperHalves();
  for (const end = k + (<usize>blocks << 4); k < end; q += 32, k += 16) {
    const key = v128.load(k);
    a = madd(v128.load(q, 16), high(key, upper), madd(v128.load(q), low(key), a));
  }
  v128.store_lane<f32>(out, f32x4.mul(sumLanes(a, a, a, a), f32x4.splat(scale)), 0);
}

/** out += weights[keys] · v[keys]. The row `out` has room for whole blocks. */
export function valuesBf16(w: usize, v: usize, vRow: usize, keys: i32, blocks: i32, out: usize): void {
  const end = w + (<usize>keys << 2);
  for (; blocks >= 4; blocks -= 4, v += 64, out += 128) valuesOfFourBlocks(w, end, v, vRow, out);
  const upper = upperHalves();
  for (; blocks > 0; blocks--, v += 16, out += 32) {
    let x = v128.load(out);
    let y = v128.load(out, 16);
    let from = v;
    for (let at = w; at < end; at += 4, from += vRow) {
      const weight = v128.load32_splat(at);
      const value = v128.load(from);
      x = madd(weight, low(value), x);
      y = madd(weight, high(value, upper), y);
    }
    v128.store(out, x);
    v128.store(out, y, 16);
  }
}

function valuesOfFourBlocks(w: usize, end: usize, v: usize, vRow: usize, out: usize): void {
  const upper = upperHalves();
  let sum0 = v128.load(out);
  let sum1 = v128.load(out, 16);
  let sum2 = v128.load(out, 32);
  let sum3 = v128.load(out, 48);
  let sum4 = v128.load(out, 64);
  let sum5 = v128.load(out, 80);
  let sum6 = v128.load(out, 96);
  let sum7 = v128.load(out, 112);
  for (; w < end; w += 4, v += vRow) {
    const weight = v128.load32_splat(w);
    let value = v128.load(v);
    sum0 = madd(weight, low(value), sum0);
    sum1 = madd(weight, high(value, upper), sum1);
    value = v128.load(v, 16);
    sum2 = madd(weight, low(value), sum2);
    sum3 = madd(weight, high(value, upper), sum3);
    value = v128.load(v, 32);
    sum4 = madd(weight, low(value), sum4);
    sum5 = madd(weight, high(value, upper), sum5);
    value = v128.load(v, 48);
    sum6 = madd(weight, low(value), sum6);
    sum7 = madd(weight, high(value, upper), sum7);
  }
  v128.store(out, sum0);
  v128.store(out, sum1, 16);
  v128.store(out, sum2, 32);
  v128.store(out, sum3, 48);
  v128.store(out, sum4, 64);
  v128.store(out, sum5, 80);
  v128.store(out, sum6, 96);
  v128.store(out, sum7, 112);
}

/** `count` vectors, `row` bytes apart, as rows of floats without gaps. */
export function unpackBf16(from: usize, row: usize, count: i32, blocks: i32, to: usize): void {
  const upper = upperHalves();
  for (let i = 0; i < count; i++, from += row) {
    let at = from;
    for (const end = from + (<usize>blocks << 4); at < end; at += 16, to += 32) {
      const numbers = v128.load(at);
      v128.store(to, low(numbers));
      v128.store(to, high(numbers, upper), 16);
    }
  }
}
