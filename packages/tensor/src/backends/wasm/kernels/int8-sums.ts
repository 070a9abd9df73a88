// From a group's sums, which are integers, to an element's total, which is a float32: the same steps in every kernel.
//
// Within a group all arithmetic is exact: |sum| <= 64 · 255 · 127 < 2^21. The sum is converted to float32 (exactly, below
// 2^24), multiplied by the product of the two scales, and added to those of the groups before it, in order, each step rounded
// by itself. So an element's bits depend on its row and column alone, not on kernel, processor, engine, threads or neighbours.

/** total + the sums of a group, scaled. */
// @ts-expect-error: decorator
@inline
export function addScaled(total: v128, sums: v128, columnScales: v128, rowScale: v128): v128 {
  return f32x4.add(total, f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.mul(columnScales, rowScale)));
}

/** Adds the scaled sums of a group to a row of totals. `scale`: address of the row's. */
// @ts-expect-error: decorator
@inline
export function addRow(totals: usize, sums0: v128, sums1: v128, low: v128, high: v128, scale: usize): void {
  const rowScale = v128.load32_splat(scale);
  v128.store(totals, addScaled(v128.load(totals), sums0, low, rowScale));
  v128.store(totals, addScaled(v128.load(totals, 16), sums1, high, rowScale), 16);
}
