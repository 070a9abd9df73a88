// The inner loop of every matrix product: a tile of 4 rows × 8 columns of the result in eight registers, which with two of
// B, one of A and a product fit V8's fifteen.
import { MODE_ADD, MODE_GELU } from "../abi";
import { gelu } from "./math";
import { madd, loadSome, storeSome } from "./simd";

/**
 * C (4×8, or its first `rows` × `columns`) = or += A·B over `depth` ≥ 1 terms; then + bias, then GELU, where asked for.
 * `a`: [depth][4]; `b`: [depth][8]; `cStep`: bytes from a row of C to the next; `bias`: 0 for none.
 */
export function tile(
  a: usize,
  b: usize,
  depth: i32,
  c: usize,
  cStep: usize,
  rows: i32,
  columns: i32,
  bias: usize,
  mode: i32,
): void {
  let a0: v128;
  let b0: v128;
  let b1: v128;
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  // Unrolled with a way out after each term: compilers that schedule a whole basic block at once (V8's before Node 24)
  // would otherwise move all loads to its front and spill.
  while (true) {
    b0 = v128.load(b, 0);
    b1 = v128.load(b, 16);
    a0 = v128.load32_splat(a, 0);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    a0 = v128.load32_splat(a, 4);
    c10 = madd(a0, b0, c10);
    c11 = madd(a0, b1, c11);
    a0 = v128.load32_splat(a, 8);
    c20 = madd(a0, b0, c20);
    c21 = madd(a0, b1, c21);
    a0 = v128.load32_splat(a, 12);
    c30 = madd(a0, b0, c30);
    c31 = madd(a0, b1, c31);
    if (depth < 2) break;
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    a0 = v128.load32_splat(a, 16);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    a0 = v128.load32_splat(a, 20);
    c10 = madd(a0, b0, c10);
    c11 = madd(a0, b1, c11);
    a0 = v128.load32_splat(a, 24);
    c20 = madd(a0, b0, c20);
    c21 = madd(a0, b1, c21);
    a0 = v128.load32_splat(a, 28);
    c30 = madd(a0, b0, c30);
    c31 = madd(a0, b1, c31);
    if (depth < 3) break;
    b0 = v128.load(b, 64);
    b1 = v128.load(b, 80);
    a0 = v128.load32_splat(a, 32);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    a0 = v128.load32_splat(a, 36);
    c10 = madd(a0, b0, c10);
    c11 = madd(a0, b1, c11);
    a0 = v128.load32_splat(a, 40);
    c20 = madd(a0, b0, c20);
    c21 = madd(a0, b1, c21);
    a0 = v128.load32_splat(a, 44);
    c30 = madd(a0, b0, c30);
    c31 = madd(a0, b1, c31);
    if (depth < 4) break;
    b0 = v128.load(b, 96);
    b1 = v128.load(b, 112);
    a0 = v128.load32_splat(a, 48);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    a0 = v128.load32_splat(a, 52);
    c10 = madd(a0, b0, c10);
    c11 = madd(a0, b1, c11);
    a0 = v128.load32_splat(a, 56);
    c20 = madd(a0, b0, c20);
    c21 = madd(a0, b1, c21);
    a0 = v128.load32_splat(a, 60);
    c30 = madd(a0, b0, c30);
    c31 = madd(a0, b1, c31);
    if (depth <= 4) break;
    depth -= 4;
    a += 64;
    b += 128;
  }
  if (rows == 4 && columns == 8) {
    storeRow(c, c00, c01, bias, mode);
    storeRow(c + cStep, c10, c11, bias, mode);
    storeRow(c + 2 * cStep, c20, c21, bias, mode);
    storeRow(c + 3 * cStep, c30, c31, bias, mode);
    if (mode & MODE_GELU) geluRows(c, cStep);
    return;
  }
  storeSomeOfRow(c, c00, c01, columns, bias, mode);
  if (rows > 1) storeSomeOfRow(c + cStep, c10, c11, columns, bias, mode);
  if (rows > 2) storeSomeOfRow(c + 2 * cStep, c20, c21, columns, bias, mode);
  if (rows > 3) storeSomeOfRow(c + 3 * cStep, c30, c31, columns, bias, mode);
}

// @ts-ignore: decorator
@inline
function storeRow(c: usize, c0: v128, c1: v128, bias: usize, mode: i32): void {
  if (mode & MODE_ADD) {
    c0 = f32x4.add(v128.load(c), c0);
    c1 = f32x4.add(v128.load(c, 16), c1);
  }
  if (bias) {
    c0 = f32x4.add(c0, v128.load(bias));
    c1 = f32x4.add(c1, v128.load(bias, 16));
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
}

/** GELU of a whole tile that was just written: apart from the loop above, whose registers it would disturb. */
function geluRows(c: usize, cStep: usize): void {
  for (let row = 0; row < 4; row++) {
    v128.store(c, gelu(v128.load(c)));
    v128.store(c, gelu(v128.load(c, 16)), 16);
    c += cStep;
  }
}

/** One row at an edge: its first `columns` of 8. */
export function storeSomeOfRow(c: usize, c0: v128, c1: v128, columns: i32, bias: usize, mode: i32): void {
  if (columns >= 4) {
    storeFew(c, c0, 4, bias, mode);
    if (columns == 4) return;
    c += 16;
    if (bias) bias += 16;
    columns -= 4;
    c0 = c1;
  }
  storeFew(c, c0, columns, bias, mode);
}

function storeFew(c: usize, sums: v128, count: i32, bias: usize, mode: i32): void {
  if (mode & MODE_ADD) sums = f32x4.add(loadFew(c, count), sums);
  if (bias) sums = f32x4.add(sums, loadFew(bias, count));
  if (mode & MODE_GELU) sums = gelu(sums);
  if (count == 4) v128.store(c, sums);
  else storeSome(c, sums, count);
}

// @ts-ignore: decorator
@inline
function loadFew(address: usize, count: i32): v128 {
  return count == 4 ? v128.load(address) : loadSome(address, count);
}
