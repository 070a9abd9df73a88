// The inner loops of products with matrices of 8-bit integers (int8-layout.ts) where the processor multiplies bytes. They are a
// module of their own, beside either build of the other kernels, because they are made of integers and exact: the build
// without fused multiply-add uses them too. They know nothing of jobs, and call nothing.
//
// What is added up is weight × byte, with bytes that have an offset; from each sum what the offset adds is taken off in the end
// (int8-activations.ts says how), which leaves the very integer that the kernels for words find. In the end, because the sums of
// a group's integers lie behind them: to read those first, 2 KB ahead of all else, kept the processor from fetching ahead, and
// made a row's product with a matrix in memory a third slower.
import { INT8_QUAD, INT8_SCALES, INT8_SUMS } from "../abi";
import { dotBytes } from "./byte-dot";
import { quadBytes } from "./int8-layout";
import { addRow, addScaled } from "./int8-sums";

/** Four columns' sums without the offset: + the sums of their integers, i16 at `integers`, times the row's offset. */
// @ts-expect-error: decorator
@inline
function settled(sums: v128, integers: usize, offset: usize): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(v128.load16x4_s(integers), v128.load32_splat(offset)));
}

/**
 * Adds products to totals [4 rows][8 columns]. `a`: [rows / 4][4][4] bytes, with scales and offsets [groups][4]; `b`: rows of a
 * panel. `rows` are those of b, `group` those of a group.
 */
export function multiplyTile(
  a: usize,
  scales: usize,
  offsets: usize,
  b: usize,
  rows: i32,
  group: i32,
  totals: usize,
): void {
  for (let first = 0; first < rows; first += group) {
    const end = b + quadBytes(min(group, rows - first));
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let b0 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    let c0 = i32x4.splat(0);
    let c1 = i32x4.splat(0);
    let d0 = i32x4.splat(0);
    let d1 = i32x4.splat(0);
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
    const sums = b + INT8_SCALES;
    a0 = settled(a0, sums, offsets);
    a1 = settled(a1, sums + 8, offsets);
    addRow(totals, a0, a1, low, high, scales);
    b0 = settled(b0, sums, offsets + 4);
    b1 = settled(b1, sums + 8, offsets + 4);
    addRow(totals + 32, b0, b1, low, high, scales + 4);
    c0 = settled(c0, sums, offsets + 8);
    c1 = settled(c1, sums + 8, offsets + 8);
    addRow(totals + 64, c0, c1, low, high, scales + 8);
    d0 = settled(d0, sums, offsets + 12);
    d1 = settled(d1, sums + 8, offsets + 12);
    addRow(totals + 96, d0, d1, low, high, scales + 12);
    b += INT8_SCALES + INT8_SUMS;
    scales += 16;
    offsets += 16;
  }
}

/**
 * One row times four panels → totals [4 panels][8 columns]. `x`: bytes of the row, with scales and offsets [groups]; `b0` to
 * `b3`: the panels.
 */
export function multiplyPanels(
  x: usize,
  scales: usize,
  offsets: usize,
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
    let sum0 = i32x4.splat(0);
    let sum1 = i32x4.splat(0);
    let sum2 = i32x4.splat(0);
    let sum3 = i32x4.splat(0);
    let sum4 = i32x4.splat(0);
    let sum5 = i32x4.splat(0);
    let sum6 = i32x4.splat(0);
    let sum7 = i32x4.splat(0);
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
    total0 = addScaled(total0, settled(sum0, b0 + INT8_SCALES, offsets), v128.load(b0), rowScale);
    total1 = addScaled(total1, settled(sum1, b0 + INT8_SCALES + 8, offsets), v128.load(b0, 16), rowScale);
    total2 = addScaled(total2, settled(sum2, b1 + INT8_SCALES, offsets), v128.load(b1), rowScale);
    total3 = addScaled(total3, settled(sum3, b1 + INT8_SCALES + 8, offsets), v128.load(b1, 16), rowScale);
    total4 = addScaled(total4, settled(sum4, b2 + INT8_SCALES, offsets), v128.load(b2), rowScale);
    total5 = addScaled(total5, settled(sum5, b2 + INT8_SCALES + 8, offsets), v128.load(b2, 16), rowScale);
    total6 = addScaled(total6, settled(sum6, b3 + INT8_SCALES, offsets), v128.load(b3), rowScale);
    total7 = addScaled(total7, settled(sum7, b3 + INT8_SCALES + 8, offsets), v128.load(b3, 16), rowScale);
    b0 += INT8_SCALES + INT8_SUMS;
    b1 += INT8_SCALES + INT8_SUMS;
    b2 += INT8_SCALES + INT8_SUMS;
    b3 += INT8_SCALES + INT8_SUMS;
    scales += 4;
    offsets += 4;
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
 * Two rows times two panels → totals [2 rows][2 panels][8 columns]. `x0`, `x1`: bytes of the rows, with scales and offsets [2][groups],
 * the second row's `step` bytes behind the first's; `b0`, `b1`: the panels.
 */
export function multiplyTwoRows(
  x0: usize,
  x1: usize,
  scales: usize,
  offsets: usize,
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
    let sum0 = i32x4.splat(0);
    let sum1 = i32x4.splat(0);
    let sum2 = i32x4.splat(0);
    let sum3 = i32x4.splat(0);
    let sum4 = i32x4.splat(0);
    let sum5 = i32x4.splat(0);
    let sum6 = i32x4.splat(0);
    let sum7 = i32x4.splat(0);
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
    total0 = addScaled(total0, settled(sum0, b0 + INT8_SCALES, offsets), v128.load(b0), rowScale);
    total1 = addScaled(total1, settled(sum1, b0 + INT8_SCALES + 8, offsets), v128.load(b0, 16), rowScale);
    total2 = addScaled(total2, settled(sum2, b1 + INT8_SCALES, offsets), v128.load(b1), rowScale);
    total3 = addScaled(total3, settled(sum3, b1 + INT8_SCALES + 8, offsets), v128.load(b1, 16), rowScale);
    rowScale = v128.load32_splat(scales + step);
    total4 = addScaled(total4, settled(sum4, b0 + INT8_SCALES, offsets + step), v128.load(b0), rowScale);
    total5 = addScaled(total5, settled(sum5, b0 + INT8_SCALES + 8, offsets + step), v128.load(b0, 16), rowScale);
    total6 = addScaled(total6, settled(sum6, b1 + INT8_SCALES, offsets + step), v128.load(b1), rowScale);
    total7 = addScaled(total7, settled(sum7, b1 + INT8_SCALES + 8, offsets + step), v128.load(b1, 16), rowScale);
    b0 += INT8_SCALES + INT8_SUMS;
    b1 += INT8_SCALES + INT8_SUMS;
    scales += 4;
    offsets += 4;
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
