// The functions of int8-bytes.ts, which is another module, as these kernels call them.

// @ts-expect-error: decorator
@external("bytes", "multiplyTile")
export declare function multiplyTile(
  a: usize,
  scales: usize,
  offsets: usize,
  b: usize,
  rows: i32,
  group: i32,
  totals: usize,
): void;

// @ts-expect-error: decorator
@external("bytes", "multiplyPanels")
export declare function multiplyPanels(
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
): void;

// @ts-expect-error: decorator
@external("bytes", "multiplyTwoRows")
export declare function multiplyTwoRows(
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
): void;
