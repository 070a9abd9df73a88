// Products of one row with matrices of 8-bit integers (int8-layout.ts); the row is quantized first (int8-activations.ts).
//
// Within a group all arithmetic is exact, on integers: |sum| <= 8191 · 127 · rows < 2^31 for every group whose own sums fit 16
// bits (int8-layout.ts). The sum is converted to float32, multiplied by the product of the two scales, and added to those of
// the groups before it, in order, each step rounded by itself. So an element's bits depend on its row and column alone, not on
// kernel, engine, threads or neighbours.
import { INT8_QUAD, INT8_SCALES, INT8_SUMS } from "../abi";
import { int, pointer } from "./control";
import { panelBytes, quadBytes } from "./int8-layout";
import { dotBytes } from "./simd";
import { firstPanel, panelsOfStream, storePanel } from "./streams";

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
  const panels = (int(4) + 7) >> 3;
  const end = firstPanel(chunk + 1, panels);
  let panel = firstPanel(chunk, panels);
  if (int(9) != 0) {
    for (; panel < end; panel++) panelOfBytes(panel);
  } else {
    const apart = panelsOfStream(end - panel);
    for (const stop = panel + apart; panel < stop; panel++) fourPanelsOfWords(panel, apart, end);
  }
}

/** Panels `panel`, `panel + apart` and so on, those before `end`; instead of the others the first is read again. */
function fourPanelsOfWords(panel: i32, apart: i32, end: i32): void {
  const n = int(4);
  const k = int(5);
  const bias = pointer(6);
  const mode = int(7);
  const group = int(8);
  const panelStep = panelBytes(k, group);
  const streamStep = <usize>apart * panelStep;
  const panel1 = panel + apart;
  const panel2 = panel1 + apart;
  const panel3 = panel2 + apart;
  let x = pointer(0);
  let scale = pointer(1);
  let b0 = pointer(2) + <usize>panel * panelStep;
  let b1 = panel1 < end ? b0 + streamStep : b0;
  let b2 = panel2 < end ? b1 + streamStep : b0;
  let b3 = panel3 < end ? b2 + streamStep : b0;
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  let total2 = f32x4.splat(0);
  let total3 = f32x4.splat(0);
  let total4 = f32x4.splat(0);
  let total5 = f32x4.splat(0);
  let total6 = f32x4.splat(0);
  let total7 = f32x4.splat(0);
  for (let start = 0; start < k; start += group) {
    let sum0 = i32x4.splat(0);
    let sum1 = i32x4.splat(0);
    let sum2 = i32x4.splat(0);
    let sum3 = i32x4.splat(0);
    let sum4 = i32x4.splat(0);
    let sum5 = i32x4.splat(0);
    let sum6 = i32x4.splat(0);
    let sum7 = i32x4.splat(0);
    const stop = b0 + quadBytes(min(group, k - start));
    for (; b0 < stop; x += 8) {
      let two = v128.load32_splat(x);
      sum0 = addProducts(sum0, b0, two);
      sum1 = addProducts(sum1, b0 + 8, two);
      sum2 = addProducts(sum2, b1, two);
      sum3 = addProducts(sum3, b1 + 8, two);
      sum4 = addProducts(sum4, b2, two);
      sum5 = addProducts(sum5, b2 + 8, two);
      sum6 = addProducts(sum6, b3, two);
      sum7 = addProducts(sum7, b3 + 8, two);
      two = v128.load32_splat(x, 4);
      sum0 = addProducts(sum0, b0 + 16, two);
      sum1 = addProducts(sum1, b0 + 24, two);
      sum2 = addProducts(sum2, b1 + 16, two);
      sum3 = addProducts(sum3, b1 + 24, two);
      sum4 = addProducts(sum4, b2 + 16, two);
      sum5 = addProducts(sum5, b2 + 24, two);
      sum6 = addProducts(sum6, b3 + 16, two);
      sum7 = addProducts(sum7, b3 + 24, two);
      b0 += INT8_QUAD;
      b1 += INT8_QUAD;
      b2 += INT8_QUAD;
      b3 += INT8_QUAD;
    }
    const rowScale = v128.load32_splat(scale);
    total0 = addScaled(total0, sum0, v128.load(b0), rowScale);
    total1 = addScaled(total1, sum1, v128.load(b0, 16), rowScale);
    total2 = addScaled(total2, sum2, v128.load(b1), rowScale);
    total3 = addScaled(total3, sum3, v128.load(b1, 16), rowScale);
    total4 = addScaled(total4, sum4, v128.load(b2), rowScale);
    total5 = addScaled(total5, sum5, v128.load(b2, 16), rowScale);
    total6 = addScaled(total6, sum6, v128.load(b3), rowScale);
    total7 = addScaled(total7, sum7, v128.load(b3, 16), rowScale);
    b0 += INT8_SCALES + INT8_SUMS;
    b1 += INT8_SCALES + INT8_SUMS;
    b2 += INT8_SCALES + INT8_SUMS;
    b3 += INT8_SCALES + INT8_SUMS;
    scale += 4;
  }
  const c = pointer(3);
  storePanel(c, n, panel, total0, total1, bias, mode);
  if (panel1 < end) storePanel(c, n, panel1, total2, total3, bias, mode);
  if (panel2 < end) storePanel(c, n, panel2, total4, total5, bias, mode);
  if (panel3 < end) storePanel(c, n, panel3, total6, total7, bias, mode);
}

/** Four sums + the products of two rows' integers of four columns, at `b`, with the row's two in every lane. */
// @ts-expect-error: decorator
@inline
function addProducts(sum: v128, b: usize, two: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(v128.load8x8_s(b), two));
}

function panelOfBytes(panel: i32): void {
  const k = int(5);
  const group = int(8);
  let b = pointer(2) + <usize>panel * panelBytes(k, group);
  let x = pointer(0);
  let scale = pointer(1);
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  for (let start = 0; start < k; start += group) {
    const end = b + quadBytes(min(group, k - start));
    let h0 = withoutOffset(end + INT8_SCALES);
    let h1 = withoutOffset(end + INT8_SCALES + 8);
    let l0 = i32x4.splat(0);
    let l1 = i32x4.splat(0);
    for (; b < end; b += INT8_QUAD, x += 8) {
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
    b += INT8_SCALES + INT8_SUMS;
    scale += 4;
  }
  storePanel(pointer(3), int(4), panel, total0, total1, pointer(6), int(7));
}
