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
  const end = w + (<usize>keys << 2);
  for (; depth >= 32; depth -= 32, v += 128, out += 128) values1x32(w, end, v, vRow, out);
  for (; depth >= 4; depth -= 4, v += 16, out += 16) {
    let sum = v128.load(out);
    let from = v;
    for (let at = w; at < end; at += 4, from += vRow) sum = madd(v128.load32_splat(at), v128.load(from), sum);
    v128.store(out, sum);
  }
  if (depth > 0) {
    let sum = v128.load(out);
    for (; w < end; w += 4, v += vRow) sum = madd(v128.load32_splat(w), loadSome(v, depth), sum);
    v128.store(out, sum);
  }
}

/** 32 columns of it. */
function values1x32(w: usize, end: usize, v: usize, vRow: usize, out: usize): void {
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
    sum0 = madd(weight, v128.load(v), sum0);
    sum1 = madd(weight, v128.load(v, 16), sum1);
    sum2 = madd(weight, v128.load(v, 32), sum2);
    sum3 = madd(weight, v128.load(v, 48), sum3);
    sum4 = madd(weight, v128.load(v, 64), sum4);
    sum5 = madd(weight, v128.load(v, 80), sum5);
    sum6 = madd(weight, v128.load(v, 96), sum6);
    sum7 = madd(weight, v128.load(v, 112), sum7);
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
