// A tile of 2 rows × 24 columns of the result in twelve registers, which with two of A and one of B are V8's fifteen, where a product is
// added in one instruction; else a product needs a sixteenth. Such an instruction takes four cycles, and a processor begins two in each: the
// eight sums of tile.ts leave it no slack, and took a tenth longer.
import { MODE_ADD, MODE_GELU } from "../abi";
import { gelu } from "./math";
import { madd } from "./simd";

/**
 * C (2×24) = or += A·B over `depth` ≥ 1 terms; then + bias, then GELU, where asked for. `a`: 2 of [depth][4]; `b`: three panels,
 * [depth][8] each, `step` bytes apart; `cStep`: bytes from a row of C to the next; `bias`: 0 for none.
 */
export function wideTile(a: usize, b: usize, step: usize, depth: i32, c: usize, cStep: usize, bias: usize, mode: i32): void {
  let b1 = b + step;
  let b2 = b1 + step;
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c03 = f32x4.splat(0);
  let c04 = f32x4.splat(0);
  let c05 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c12 = f32x4.splat(0);
  let c13 = f32x4.splat(0);
  let c14 = f32x4.splat(0);
  let c15 = f32x4.splat(0);
  // With a way out after each vector of B: compilers that schedule a whole basic block at once (V8's before Node 24) would
  // otherwise move all loads to its front and spill. None but the last is taken.
  while (true) {
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(a, 4);
    let z = v128.load(b);
    c00 = madd(x, z, c00);
    c10 = madd(y, z, c10);
    if (depth < 0) break;
    z = v128.load(b, 16);
    c01 = madd(x, z, c01);
    c11 = madd(y, z, c11);
    if (depth < -1) break;
    z = v128.load(b1);
    c02 = madd(x, z, c02);
    c12 = madd(y, z, c12);
    if (depth < -2) break;
    z = v128.load(b1, 16);
    c03 = madd(x, z, c03);
    c13 = madd(y, z, c13);
    if (depth < -3) break;
    z = v128.load(b2);
    c04 = madd(x, z, c04);
    c14 = madd(y, z, c14);
    if (depth < -4) break;
    z = v128.load(b2, 16);
    c05 = madd(x, z, c05);
    c15 = madd(y, z, c15);
    if (--depth == 0) break;
    a += 16;
    b += 32;
    b1 += 32;
    b2 += 32;
  }
  storeRow(c, c00, c01, c02, c03, c04, c05, bias, mode);
  storeRow(c + cStep, c10, c11, c12, c13, c14, c15, bias, mode);
  if (mode & MODE_GELU) {
    geluRow(c);
    geluRow(c + cStep);
  }
}

// @ts-expect-error: decorator
@inline
function storeRow(c: usize, s0: v128, s1: v128, s2: v128, s3: v128, s4: v128, s5: v128, bias: usize, mode: i32): void {
  if (mode & MODE_ADD) {
    s0 = f32x4.add(v128.load(c), s0);
    s1 = f32x4.add(v128.load(c, 16), s1);
    s2 = f32x4.add(v128.load(c, 32), s2);
    s3 = f32x4.add(v128.load(c, 48), s3);
    s4 = f32x4.add(v128.load(c, 64), s4);
    s5 = f32x4.add(v128.load(c, 80), s5);
  }
  if (bias) {
    s0 = f32x4.add(s0, v128.load(bias));
    s1 = f32x4.add(s1, v128.load(bias, 16));
    s2 = f32x4.add(s2, v128.load(bias, 32));
    s3 = f32x4.add(s3, v128.load(bias, 48));
    s4 = f32x4.add(s4, v128.load(bias, 64));
    s5 = f32x4.add(s5, v128.load(bias, 80));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
  v128.store(c, s4, 64);
  v128.store(c, s5, 80);
}

/** GELU of a row that was just written: apart from the loop above, whose registers it would disturb. */
function geluRow(c: usize): void {
  for (const end = c + 96; c < end; c += 16) v128.store(c, gelu(v128.load(c)));
}
