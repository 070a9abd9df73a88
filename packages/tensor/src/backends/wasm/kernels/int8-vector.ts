// Products of one row with matrices of 8-bit integers (int8-layout.ts); the row is quantized first (int8-activations.ts).
//
// Within a group of at most 128 all arithmetic is exact, on integers: |sum| <= 8191 · 127 · 128 < 2^31. The sum is converted
// to float32, multiplied by the product of the two scales, and added to those of the groups before it, in order, each step
// rounded by itself. So an element's bits depend on its row and column alone, not on kernel, engine, threads or neighbours.
import { chunkCount, chunkStart, int, pointer } from "./control";
import { panelBytes, QUAD, quadBytes, SCALES, SUMS } from "./int8-layout";
import { dotBytes } from "./simd";
import { GELU, storeSomeOfRow } from "./tile";

/** total + the sums of a group, scaled. */
// @ts-expect-error: decorator
@inline
export function addScaled(total: v128, sums: v128, columnScales: v128, rowScale: v128): v128 {
  return f32x4.add(total, f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.mul(columnScales, rowScale)));
}

/**
 * What the sums of four columns begin with when the upper 7 bits of the integers plus 8192 are summed: -64 times the
 * columns' sums. `sums`: address of these.
 */
// @ts-expect-error: decorator
@inline
export function withoutOffset(sums: usize): v128 {
  return i32x4.shl(i32x4.neg(v128.load16x4_s(sums)), 6);
}

/**
 * c [N] = x [K]·B (+ bias) (then GELU). Ints: integers of x, their scales, panels of B, c, N, K, bias or 0, mode, rows of a
 * group, whether the integers are split into bytes. Split by panels.
 */
export function int8VectorJob(chunk: i32): void {
  const step = panelBytes(int(5), int(8));
  const bytes = int(9) != 0;
  const chunks = chunkCount();
  const panels = (int(4) + 7) >> 3;
  const end = chunkStart(chunk + 1, chunks, panels);
  let panel = chunkStart(chunk, chunks, panels);
  for (let b = pointer(2) + <usize>panel * step; panel < end; panel++, b += step) {
    if (bytes) panelOfBytes(panel, b);
    else panelOfWords(panel, b);
  }
}

function panelOfWords(panel: i32, b: usize): void {
  const k = int(5);
  const group = int(8);
  let x = pointer(0);
  let scale = pointer(1);
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  for (let start = 0; start < k; start += group) {
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let b0 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    const end = b + quadBytes(min(group, k - start));
    for (; b < end; b += QUAD, x += 8) {
      let two = v128.load32_splat(x);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load8x8_s(b), two));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load8x8_s(b, 8), two));
      two = v128.load32_splat(x, 4);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v128.load8x8_s(b, 16), two));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v128.load8x8_s(b, 24), two));
    }
    const rowScale = v128.load32_splat(scale);
    total0 = addScaled(total0, i32x4.add(a0, b0), v128.load(b), rowScale);
    total1 = addScaled(total1, i32x4.add(a1, b1), v128.load(b, 16), rowScale);
    b += SCALES + SUMS;
    scale += 4;
  }
  storePanel(panel, total0, total1);
}

function panelOfBytes(panel: i32, b: usize): void {
  const k = int(5);
  const group = int(8);
  let x = pointer(0);
  let scale = pointer(1);
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  for (let start = 0; start < k; start += group) {
    const end = b + quadBytes(min(group, k - start));
    let h0 = withoutOffset(end + SCALES);
    let h1 = withoutOffset(end + SCALES + 8);
    let l0 = i32x4.splat(0);
    let l1 = i32x4.splat(0);
    for (; b < end; b += QUAD, x += 8) {
      const w0 = v128.load(b);
      const w1 = v128.load(b, 16);
      const upper = v128.load32_splat(x);
      h0 = dotBytes(w0, upper, h0);
      h1 = dotBytes(w1, upper, h1);
      const lower = v128.load32_splat(x, 4);
      l0 = dotBytes(w0, lower, l0);
      l1 = dotBytes(w1, lower, l1);
    }
    const rowScale = v128.load32_splat(scale);
    total0 = addScaled(total0, i32x4.add(i32x4.shl(h0, 7), l0), v128.load(b), rowScale);
    total1 = addScaled(total1, i32x4.add(i32x4.shl(h1, 7), l1), v128.load(b, 16), rowScale);
    b += SCALES + SUMS;
    scale += 4;
  }
  storePanel(panel, total0, total1);
}

function storePanel(panel: i32, total0: v128, total1: v128): void {
  const offset = <usize>panel << 5;
  const bias = pointer(6) ? pointer(6) + offset : 0;
  storeSomeOfRow(pointer(3) + offset, total0, total1, min(8, int(4) - (panel << 3)), bias, int(7) & GELU);
}
