// Products of one row with matrices of 8-bit integers (int8-layout.ts); the row is quantized first (int8-activations.ts).
import { INT8_QUAD, INT8_SCALES, INT8_SUMS, INT8_TOTALS, INT8_WORDS } from "../abi";
import { multiplyPanels } from "./byte-module";
import { int, pointer } from "./control";
import { panelBytes, quadBytes } from "./int8-layout";
import { addScaled } from "./int8-sums";
import { firstPanel, panelsOfStream, storePanel } from "./streams";

/**
 * c [N] = x [K]·B (+ bias) (then GELU). Ints: integers of x, their scales and offsets, panels of B, c, N, K, bias or 0, mode,
 * rows of a group, how the integers are multiplied (INT8_… of ../abi.ts), room for each chunk: INT8_TOTALS bytes. Split by panels.
 */
export function int8VectorJob(chunk: i32): void {
  const panels = (int(5) + 7) >> 3;
  const end = firstPanel(chunk + 1, panels);
  let panel = firstPanel(chunk, panels);
  const apart = panelsOfStream(end - panel);
  const totals = pointer(11) + <usize>chunk * INT8_TOTALS;
  for (const stop = panel + apart; panel < stop; panel++) {
    if (int(10) == INT8_WORDS) fourPanelsOfWords(panel, apart, end);
    else fourPanelsOfBytes(panel, apart, end, totals);
  }
}

/** Panels `panel`, `panel + apart` and so on, those before `end`; instead of the others the first is read again. */
function fourPanelsOfWords(panel: i32, apart: i32, end: i32): void {
  const n = int(5);
  const k = int(6);
  const bias = pointer(7);
  const mode = int(8);
  const group = int(9);
  const panelStep = panelBytes(k, group);
  const streamStep = <usize>apart * panelStep;
  const panel1 = panel + apart;
  const panel2 = panel1 + apart;
  const panel3 = panel2 + apart;
  let x = pointer(0);
  let scale = pointer(1);
  let b0 = pointer(3) + <usize>panel * panelStep;
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
  const c = pointer(4);
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

/** The same, where the processor multiplies bytes. */
function fourPanelsOfBytes(panel: i32, apart: i32, end: i32, totals: usize): void {
  const k = int(6);
  const group = int(9);
  const panelStep = panelBytes(k, group);
  const streamStep = <usize>apart * panelStep;
  const b0 = pointer(3) + <usize>panel * panelStep;
  const b1 = panel + apart < end ? b0 + streamStep : b0;
  const b2 = panel + 2 * apart < end ? b1 + streamStep : b0;
  const b3 = panel + 3 * apart < end ? b2 + streamStep : b0;
  multiplyPanels(pointer(0), pointer(1), pointer(2), b0, b1, b2, b3, k, group, totals);
  for (; panel < end; panel += apart, totals += 32) {
    storePanel(pointer(4), int(5), panel, v128.load(totals), v128.load(totals, 16), pointer(7), int(8));
  }
}
