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
  const bytes = <usize>blocks << 4;
  const upper = upperHalves();
  let key = 0;
  for (; key + 4 <= keys; key += 4, w += 16, v += vRow << 2) {
    const w0 = v128.load32_splat(w);
    const w1 = v128.load32_splat(w, 4);
    const w2 = v128.load32_splat(w, 8);
    const w3 = v128.load32_splat(w, 12);
    let v0 = v;
    let v1 = v0 + vRow;
    let v2 = v1 + vRow;
    let v3 = v2 + vRow;
    let at = out;
    for (const end = v + bytes; v0 < end; v0 += 16, v1 += 16, v2 += 16, v3 += 16, at += 32) {
      let value = v128.load(v0);
      let x = madd(w0, low(value), v128.load(at));
      let y = madd(w0, high(value, upper), v128.load(at, 16));
      value = v128.load(v1);
      x = madd(w1, low(value), x);
      y = madd(w1, high(value, upper), y);
      value = v128.load(v2);
      x = madd(w2, low(value), x);
      y = madd(w2, high(value, upper), y);
      value = v128.load(v3);
      v128.store(at, madd(w3, low(value), x));
      v128.store(at, madd(w3, high(value, upper), y), 16);
    }
  }
  for (; key < keys; key++, w += 4, v += vRow) {
    const weight = v128.load32_splat(w);
    let from = v;
    let at = out;
    for (const end = v + bytes; from < end; from += 16, at += 32) {
      const value = v128.load(from);
      v128.store(at, madd(weight, low(value), v128.load(at)));
      v128.store(at, madd(weight, high(value, upper), v128.load(at, 16)), 16);
    }
  }
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
