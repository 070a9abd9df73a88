// Products of few rows with matrices of 8-bit integers, as drafts and small batches make them: a panel is read as it lies, widened in
// registers, and its totals stay there. For many rows it is better to widen a panel once, into memory (int8-tile.ts).
import { INT8_QUAD, INT8_SCALES, INT8_SUMS, INT8_TOTALS, INT8_WORDS } from "../abi";
import { multiplyTwoRows } from "./byte-module";
import { int, pointer } from "./control";
import { panelBytes, quadBytes } from "./int8-layout";
import { addScaled } from "./int8-sums";
import { firstPanel, panelsOfStream, storePanel } from "./streams";

/** c [2, N] = x [2, K]·B (+ bias) (then GELU). Ints: those of int8VectorJob, with one row behind the other. Split by panels. */
export function int8TwoRowsJob(chunk: i32): void {
  const panels = (int(5) + 7) >> 3;
  const end = firstPanel(chunk + 1, panels);
  const begin = firstPanel(chunk, panels);
  const apart = panelsOfStream(end - begin);
  const totals = pointer(11) + <usize>chunk * INT8_TOTALS;
  // Four streams, two at a time.
  for (let stream = 0; stream < 4; stream += 2) {
    let panel = begin + stream * apart;
    for (const stop = min(panel + apart, end); panel < stop; panel++) {
      if (int(10) == INT8_WORDS) twoPanelsOfWords(panel, apart, end);
      else twoPanelsOfBytes(panel, apart, end, totals);
    }
  }
}

/** Panels `panel` and `panel + apart`, if that is before `end`; else the first is read twice. */
function twoPanelsOfWords(panel: i32, apart: i32, end: i32): void {
  const n = int(5);
  const k = int(6);
  const bias = pointer(7);
  const mode = int(8);
  const group = int(9);
  const panelStep = panelBytes(k, group);
  const other = panel + apart;
  let x0 = pointer(0);
  let x1 = x0 + quadBytes(k) / 4;
  let scale0 = pointer(1);
  let scale1 = scale0 + scaleBytes(k, group);
  let b0 = pointer(3) + <usize>panel * panelStep;
  let b1 = other < end ? b0 + <usize>apart * panelStep : b0;
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
    // Two rows of a quad at a time: more in one basic block would spill (tile.ts tells why).
    for (const stop = b0 + quadBytes(min(group, k - start)); b0 < stop; b0 += 16, b1 += 16, x0 += 4, x1 += 4) {
      const a0 = v128.load32_splat(x0);
      const a1 = v128.load32_splat(x1);
      let words = v128.load8x8_s(b0);
      sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(words, a0));
      sum4 = i32x4.add(sum4, i32x4.dot_i16x8_s(words, a1));
      words = v128.load8x8_s(b0, 8);
      sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(words, a0));
      sum5 = i32x4.add(sum5, i32x4.dot_i16x8_s(words, a1));
      words = v128.load8x8_s(b1);
      sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(words, a0));
      sum6 = i32x4.add(sum6, i32x4.dot_i16x8_s(words, a1));
      words = v128.load8x8_s(b1, 8);
      sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(words, a0));
      sum7 = i32x4.add(sum7, i32x4.dot_i16x8_s(words, a1));
    }
    let rowScale = v128.load32_splat(scale0);
    total0 = addScaled(total0, sum0, v128.load(b0), rowScale);
    total1 = addScaled(total1, sum1, v128.load(b0, 16), rowScale);
    total2 = addScaled(total2, sum2, v128.load(b1), rowScale);
    total3 = addScaled(total3, sum3, v128.load(b1, 16), rowScale);
    rowScale = v128.load32_splat(scale1);
    total4 = addScaled(total4, sum4, v128.load(b0), rowScale);
    total5 = addScaled(total5, sum5, v128.load(b0, 16), rowScale);
    total6 = addScaled(total6, sum6, v128.load(b1), rowScale);
    total7 = addScaled(total7, sum7, v128.load(b1, 16), rowScale);
    b0 += INT8_SCALES + INT8_SUMS;
    b1 += INT8_SCALES + INT8_SUMS;
    scale0 += 4;
    scale1 += 4;
  }
  const c0 = pointer(4);
  const c1 = c0 + (<usize>n << 2);
  storePanel(c0, n, panel, total0, total1, bias, mode);
  storePanel(c1, n, panel, total4, total5, bias, mode);
  if (other < end) storePanel(c0, n, other, total2, total3, bias, mode);
  if (other < end) storePanel(c1, n, other, total6, total7, bias, mode);
}

/** The same, where the processor multiplies bytes. */
function twoPanelsOfBytes(panel: i32, apart: i32, end: i32, totals: usize): void {
  const n = int(5);
  const k = int(6);
  const group = int(9);
  const panelStep = panelBytes(k, group);
  const other = panel + apart;
  const x = pointer(0);
  const b0 = pointer(3) + <usize>panel * panelStep;
  const b1 = other < end ? b0 + <usize>apart * panelStep : b0;
  multiplyTwoRows(x, x + quadBytes(k) / 8, pointer(1), pointer(2), scaleBytes(k, group), b0, b1, k, group, totals);
  let c = pointer(4);
  for (let row = 0; row < 2; row++, c += <usize>n << 2, totals += 64) {
    storePanel(c, n, panel, v128.load(totals), v128.load(totals, 16), pointer(7), int(8));
    if (other < end) storePanel(c, n, other, v128.load(totals, 32), v128.load(totals, 48), pointer(7), int(8));
  }
}

/**
 * C [M, N] = A·B (+ bias) (then GELU) of words. Ints: those of int8VectorJob, with the integers and scales of A in tiles of 4 rows, and
 * M. Split by panels.
 */
export function int8FewRowsJob(chunk: i32): void {
  const panels = (int(5) + 7) >> 3;
  const end = firstPanel(chunk + 1, panels);
  const rows = int(11);
  for (let panel = firstPanel(chunk, panels); panel < end; panel++) {
    for (let row = 0; row < rows; row += 4) tileOfPanel(panel, row, min(4, rows - row));
  }
}

/** Four rows, or the `rows` that there are, from `row` on. */
function tileOfPanel(panel: i32, row: i32, rows: i32): void {
  const n = int(5);
  const k = int(6);
  const group = int(9);
  let x = pointer(0) + <usize>(row >> 2) * quadBytes(k);
  let scale = pointer(1) + <usize>row * scaleBytes(k, group);
  let b = pointer(3) + <usize>panel * panelBytes(k, group);
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
    for (const stop = b + quadBytes(min(group, k - start)); b < stop; b += 16, x += 16) {
      const left = v128.load8x8_s(b);
      const right = v128.load8x8_s(b, 8);
      let two = v128.load32_splat(x);
      sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(left, two));
      sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(right, two));
      two = v128.load32_splat(x, 4);
      sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(left, two));
      sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(right, two));
      two = v128.load32_splat(x, 8);
      sum4 = i32x4.add(sum4, i32x4.dot_i16x8_s(left, two));
      sum5 = i32x4.add(sum5, i32x4.dot_i16x8_s(right, two));
      two = v128.load32_splat(x, 12);
      sum6 = i32x4.add(sum6, i32x4.dot_i16x8_s(left, two));
      sum7 = i32x4.add(sum7, i32x4.dot_i16x8_s(right, two));
    }
    const low = v128.load(b);
    const high = v128.load(b, 16);
    let rowScale = v128.load32_splat(scale);
    total0 = addScaled(total0, sum0, low, rowScale);
    total1 = addScaled(total1, sum1, high, rowScale);
    rowScale = v128.load32_splat(scale, 4);
    total2 = addScaled(total2, sum2, low, rowScale);
    total3 = addScaled(total3, sum3, high, rowScale);
    rowScale = v128.load32_splat(scale, 8);
    total4 = addScaled(total4, sum4, low, rowScale);
    total5 = addScaled(total5, sum5, high, rowScale);
    rowScale = v128.load32_splat(scale, 12);
    total6 = addScaled(total6, sum6, low, rowScale);
    total7 = addScaled(total7, sum7, high, rowScale);
    b += INT8_SCALES + INT8_SUMS;
    scale += 16;
  }
  const bias = pointer(7);
  const mode = int(8);
  const cStep = <usize>n << 2;
  let c = pointer(4) + <usize>row * cStep;
  storePanel(c, n, panel, total0, total1, bias, mode);
  if (rows > 1) storePanel(c + cStep, n, panel, total2, total3, bias, mode);
  if (rows > 2) storePanel(c + 2 * cStep, n, panel, total4, total5, bias, mode);
  if (rows > 3) storePanel(c + 3 * cStep, n, panel, total6, total7, bias, mode);
}

/** Bytes from a row's scales, or offsets, to the next row's. */
// @ts-expect-error: decorator
@inline
function scaleBytes(columns: i32, group: i32): usize {
  return <usize>((columns + group - 1) / group) << 2;
}
