// Values summed with weights, key by key in order: the same steps whichever of these functions computes a sum.
import { loadSome, madd, storeSome } from "./simd";

/** out[4 rows][8 columns] += weights[4 rows][keys] · v[keys][8 columns]. */
export function values4x8(w: usize, wRow: usize, v: usize, vRow: usize, keys: i32, out: usize, outRow: usize): void {
  let w1 = w + wRow;
  let w2 = w1 + wRow;
  let w3 = w2 + wRow;
  const out1 = out + outRow;
  const out2 = out1 + outRow;
  const out3 = out2 + outRow;
  let a0 = v128.load(out);
  let a1 = v128.load(out, 16);
  let b0 = v128.load(out1);
  let b1 = v128.load(out1, 16);
  let c0 = v128.load(out2);
  let c1 = v128.load(out2, 16);
  let d0 = v128.load(out3);
  let d1 = v128.load(out3, 16);
  const end = w + (<usize>keys << 2);
  while (w < end) {
    const x = v128.load(v);
    const y = v128.load(v, 16);
    let weight = v128.load32_splat(w);
    a0 = madd(weight, x, a0);
    a1 = madd(weight, y, a1);
    weight = v128.load32_splat(w1);
    b0 = madd(weight, x, b0);
    b1 = madd(weight, y, b1);
    weight = v128.load32_splat(w2);
    c0 = madd(weight, x, c0);
    c1 = madd(weight, y, c1);
    weight = v128.load32_splat(w3);
    d0 = madd(weight, x, d0);
    d1 = madd(weight, y, d1);
    w += 4;
    w1 += 4;
    w2 += 4;
    w3 += 4;
    v += vRow;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out1, b0);
  v128.store(out1, b1, 16);
  v128.store(out2, c0);
  v128.store(out2, c1, 16);
  v128.store(out3, d0);
  v128.store(out3, d1, 16);
}

/** out[depth] += weights[keys] · v[keys][depth]. The row `out` has room for whole vectors. */
export function values1(w: usize, v: usize, vRow: usize, keys: i32, depth: i32, out: usize): void {
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
    const end = out + (<usize>(depth >> 2) << 4);
    while (at < end) {
      let sum = madd(w0, v128.load(v0), v128.load(at));
      sum = madd(w1, v128.load(v1), sum);
      sum = madd(w2, v128.load(v2), sum);
      v128.store(at, madd(w3, v128.load(v3), sum));
      at += 16;
      v0 += 16;
      v1 += 16;
      v2 += 16;
      v3 += 16;
    }
    const rest = depth & 3;
    if (rest) {
      let sum = madd(w0, loadSome(v0, rest), v128.load(at));
      sum = madd(w1, loadSome(v1, rest), sum);
      sum = madd(w2, loadSome(v2, rest), sum);
      v128.store(at, madd(w3, loadSome(v3, rest), sum));
    }
  }
  for (; key < keys; key++, w += 4, v += vRow) {
    const weight = v128.load32_splat(w);
    let d = 0;
    for (; d + 4 <= depth; d += 4) {
      const at = out + (<usize>d << 2);
      v128.store(at, madd(weight, v128.load(v + (<usize>d << 2)), v128.load(at)));
    }
    if (d < depth) {
      const at = out + (<usize>d << 2);
      v128.store(at, madd(weight, loadSome(v + (<usize>d << 2), depth - d), v128.load(at)));
    }
  }
}

/** Copies `keys` rows of `depth` floats to rows of `width` floats (a multiple of 8), the rest zeros. */
export function packValues(v: usize, vRow: usize, keys: i32, depth: i32, to: usize, width: i32): void {
  const rest = depth & 3;
  for (let key = 0; key < keys; key++, v += vRow) {
    let from = v;
    const next = to + (<usize>width << 2);
    const whole = to + (<usize>(depth >> 2) << 4);
    for (; to < whole; to += 16, from += 16) v128.store(to, v128.load(from));
    if (rest) {
      v128.store(to, loadSome(from, rest));
      to += 16;
    }
    for (; to < next; to += 16) v128.store(to, f32x4.splat(0));
  }
}

/** to[count] = first ? from[count] : to[count] + from[count]. */
export function addRow(to: usize, from: usize, count: i32, first: bool): void {
  const end = to + (<usize>(count >> 2) << 4);
  for (; to < end; to += 16, from += 16) {
    const x = v128.load(from);
    v128.store(to, first ? x : f32x4.add(v128.load(to), x));
  }
  const rest = count & 3;
  if (rest) {
    const x = loadSome(from, rest);
    storeSome(to, first ? x : f32x4.add(loadSome(to, rest), x), rest);
  }
}

/** to[count] *= factors[count]. */
export function multiplyRow(to: usize, factors: usize, count: i32): void {
  const end = to + (<usize>(count >> 2) << 4);
  for (; to < end; to += 16, factors += 16) v128.store(to, f32x4.mul(v128.load(to), v128.load(factors)));
  const rest = count & 3;
  if (rest) storeSome(to, f32x4.mul(loadSome(to, rest), loadSome(factors, rest)), rest);
}

/** to[count] /= divisor. */
export function divideRow(to: usize, count: i32, divisor: f32): void {
  const by = f32x4.splat(divisor);
  const end = to + (<usize>(count >> 2) << 4);
  for (; to < end; to += 16) v128.store(to, f32x4.div(v128.load(to), by));
  const rest = count & 3;
  if (rest) storeSome(to, f32x4.div(loadSome(to, rest), by), rest);
}
