// The inner loops of products with matrices of 8-bit integers (int8-layout.ts) where the processor multiplies bytes. They are a
// module of their own, beside either build of the other kernels, because they are made of integers and exact: the build
// without fused multiply-add uses them too. They know nothing of jobs, and call nothing.
//
// What is added up is weight × byte, with bytes that have an offset; each sum begins with what the offset adds, taken off
// (int8-activations.ts says how), and ends as the very integer that the kernels for words find.
import { INT8_QUAD, INT8_SCALES, INT8_SUMS } from "../abi";
import { dotBytes } from "./byte-dot";
import { quadBytes } from "./int8-layout";
import { addRow, addScaled } from "./int8-sums";

/** What the sums of four columns begin with: those of their integers, `sums`, times a row's start. */
// @ts-expect-error: decorator
@inline
function begin(sums: v128, start: usize): v128 {
  return i32x4.dot_i16x8_s(sums, v128.load32_splat(start));
}

/**
 * Adds products to totals [4 rows][8 columns]. `a`: [rows / 4][4][4] bytes, with scales and starts [groups][4]; `b`: rows of a
 * panel. `rows` are those of b, `group` those of a group.
 */
export function multiplyTile(
  a: usize,
  scales: usize,
  starts: usize,
  b: usize,
  rows: i32,
  group: i32,
  totals: usize,
): void {
  for (let first = 0; first < rows; first += group) {
    const end = b + quadBytes(min(group, rows - first));
    const left = v128.load16x4_s(end, INT8_SCALES);
    const right = v128.load16x4_s(end, INT8_SCALES + 8);
    let a0 = begin(left, starts);
    let a1 = begin(right, starts);
    let b0 = begin(left, starts + 4);
    let b1 = begin(right, starts + 4);
    let c0 = begin(left, starts + 8);
    let c1 = begin(right, starts + 8);
    let d0 = begin(left, starts + 12);
    let d1 = begin(right, starts + 12);
    for (; b < end; b += INT8_QUAD, a += 16) {
      const w0 = v128.load(b);
      const w1 = v128.load(b, 16);
      let x = v128.load32_splat(a);
      a0 = dotBytes(w0, x, a0);
      a1 = dotBytes(w1, x, a1);
      x = v128.load32_splat(a, 4);
      b0 = dotBytes(w0, x, b0);
      b1 = dotBytes(w1, x, b1);
      x = v128.load32_splat(a, 8);
      c0 = dotBytes(w0, x, c0);
      c1 = dotBytes(w1, x, c1);
      x = v128.load32_splat(a, 12);
      d0 = dotBytes(w0, x, d0);
      d1 = dotBytes(w1, x, d1);
    }
    const low = v128.load(b);
    const high = v128.load(b, 16);
    addRow(totals, a0, a1, low, high, scales);
    addRow(totals + 32, b0, b1, low, high, scales + 4);
    addRow(totals + 64, c0, c1, low, high, scales + 8);
    addRow(totals + 96, d0, d1, low, high, scales + 12);
    b += INT8_SCALES + INT8_SUMS;
    scales += 16;
    starts += 16;
  }
}

/**
 * One row times four panels → totals [4 panels][8 columns]. `x`: bytes of the row, with scales and starts [groups]; `b0` to
 * `b3`: the panels.
 */
export function multiplyPanels(
  x: usize,
  scales: usize,
  starts: usize,
  b0: usize,
  b1: usize,
  b2: usize,
  b3: usize,
  rows: i32,
  group: i32,
  totals: usize,
): void {
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  let total2 = f32x4.splat(0);
  let total3 = f32x4.splat(0);
  let total4 = f32x4.splat(0);
  let total5 = f32x4.splat(0);
  let total6 = f32x4.splat(0);
  let total7 = f32x4.splat(0);
  for (let first = 0; first < rows; first += group) {
    const integers = quadBytes(min(group, rows - first));
    let sums = b0 + integers + INT8_SCALES;
    let sum0 = begin(v128.load16x4_s(sums), starts);
    let sum1 = begin(v128.load16x4_s(sums, 8), starts);
    sums = b1 + integers + INT8_SCALES;
    let sum2 = begin(v128.load16x4_s(sums), starts);
    let sum3 = begin(v128.load16x4_s(sums, 8), starts);
    sums = b2 + integers + INT8_SCALES;
    let sum4 = begin(v128.load16x4_s(sums), starts);
    let sum5 = begin(v128.load16x4_s(sums, 8), starts);
    sums = b3 + integers + INT8_SCALES;
    let sum6 = begin(v128.load16x4_s(sums), starts);
    let sum7 = begin(v128.load16x4_s(sums, 8), starts);
    for (const end = b0 + integers; b0 < end; x += 4) {
      const four = v128.load32_splat(x);
      sum0 = dotBytes(v128.load(b0), four, sum0);
      sum1 = dotBytes(v128.load(b0, 16), four, sum1);
      sum2 = dotBytes(v128.load(b1), four, sum2);
      sum3 = dotBytes(v128.load(b1, 16), four, sum3);
      sum4 = dotBytes(v128.load(b2), four, sum4);
      sum5 = dotBytes(v128.load(b2, 16), four, sum5);
      sum6 = dotBytes(v128.load(b3), four, sum6);
      sum7 = dotBytes(v128.load(b3, 16), four, sum7);
      b0 += INT8_QUAD;
      b1 += INT8_QUAD;
      b2 += INT8_QUAD;
      b3 += INT8_QUAD;
    }
    const rowScale = v128.load32_splat(scales);
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
    scales += 4;
    starts += 4;
  }
  v128.store(totals, total0);
  v128.store(totals, total1, 16);
  v128.store(totals, total2, 32);
  v128.store(totals, total3, 48);
  v128.store(totals, total4, 64);
  v128.store(totals, total5, 80);
  v128.store(totals, total6, 96);
  v128.store(totals, total7, 112);
}

/**
 * Two rows times two panels → totals [2 rows][2 panels][8 columns]. `x0`, `x1`: bytes of the rows, with scales and starts [2][groups],
 * the second row's `step` bytes behind the first's; `b0`, `b1`: the panels.
 */
export function multiplyTwoRows(
  x0: usize,
  x1: usize,
  scales: usize,
  starts: usize,
  step: usize,
  b0: usize,
  b1: usize,
  rows: i32,
  group: i32,
  totals: usize,
): void {
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  let total2 = f32x4.splat(0);
  let total3 = f32x4.splat(0);
  let total4 = f32x4.splat(0);
  let total5 = f32x4.splat(0);
  let total6 = f32x4.splat(0);
  let total7 = f32x4.splat(0);
  for (let first = 0; first < rows; first += group) {
    const integers = quadBytes(min(group, rows - first));
    let sums = v128.load16x4_s(b0 + integers, INT8_SCALES);
    let sum0 = begin(sums, starts);
    let sum4 = begin(sums, starts + step);
    sums = v128.load16x4_s(b0 + integers, INT8_SCALES + 8);
    let sum1 = begin(sums, starts);
    let sum5 = begin(sums, starts + step);
    sums = v128.load16x4_s(b1 + integers, INT8_SCALES);
    let sum2 = begin(sums, starts);
    let sum6 = begin(sums, starts + step);
    sums = v128.load16x4_s(b1 + integers, INT8_SCALES + 8);
    let sum3 = begin(sums, starts);
    let sum7 = begin(sums, starts + step);
    for (const end = b0 + integers; b0 < end; b0 += INT8_QUAD, b1 += INT8_QUAD, x0 += 4, x1 += 4) {
      const a0 = v128.load32_splat(x0);
      const a1 = v128.load32_splat(x1);
      let b = v128.load(b0);
      sum0 = dotBytes(b, a0, sum0);
      sum4 = dotBytes(b, a1, sum4);
      b = v128.load(b0, 16);
      sum1 = dotBytes(b, a0, sum1);
      sum5 = dotBytes(b, a1, sum5);
      b = v128.load(b1);
      sum2 = dotBytes(b, a0, sum2);
      sum6 = dotBytes(b, a1, sum6);
      b = v128.load(b1, 16);
      sum3 = dotBytes(b, a0, sum3);
      sum7 = dotBytes(b, a1, sum7);
    }
    let rowScale = v128.load32_splat(scales);
    total0 = addScaled(total0, sum0, v128.load(b0), rowScale);
    total1 = addScaled(total1, sum1, v128.load(b0, 16), rowScale);
    total2 = addScaled(total2, sum2, v128.load(b1), rowScale);
    total3 = addScaled(total3, sum3, v128.load(b1, 16), rowScale);
    rowScale = v128.load32_splat(scales + step);
    total4 = addScaled(total4, sum4, v128.load(b0), rowScale);
    total5 = addScaled(total5, sum5, v128.load(b0, 16), rowScale);
    total6 = addScaled(total6, sum6, v128.load(b1), rowScale);
    total7 = addScaled(total7, sum7, v128.load(b1, 16), rowScale);
    b0 += INT8_SCALES + INT8_SUMS;
    b1 += INT8_SCALES + INT8_SUMS;
    scales += 4;
    starts += 4;
  }
  v128.store(totals, total0);
  v128.store(totals, total1, 16);
  v128.store(totals, total2, 32);
  v128.store(totals, total3, 48);
  v128.store(totals, total4, 64);
  v128.store(totals, total5, 80);
  v128.store(totals, total6, 96);
  v128.store(totals, total7, 112);
}
