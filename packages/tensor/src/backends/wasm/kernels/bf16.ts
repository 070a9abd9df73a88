// Matrices in bfloat16, the upper halves of float32: panels of 8 columns (panels.ts), each row 16 bytes. Word i of a row
// holds column i in its lower half and column i + 4 in its upper half, so that a shift and a mask make floats of them.
import { chunkCount, chunkStart, int, pointer } from "./control";
import { madd } from "./simd";
import { BLOCK, GELU, storeSomeOfRow } from "./tile";

/** Columns 0 to 3 of a panel's row. */
// @ts-expect-error: decorator
@inline
function low(row: v128): v128 {
  return i32x4.shl(row, 16);
}

/** Columns 4 to 7 of a panel's row. */
// @ts-expect-error: decorator
@inline
function high(row: v128): v128 {
  return v128.and(row, i32x4.splat(0xffff0000));
}

/** Four floats to the nearest bfloat16, ties to even, as float32 bits whose lower halves are anything; NaN stays NaN. */
// @ts-expect-error: decorator
@inline
function round(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd);
  return v128.bitselect(rounded, v128.or(x, i32x4.splat(0x400000)), f32x4.eq(x, x));
}

/** Panels of floats → panels of bfloat16. Ints: source, target, rows of all panels together. Split by rows. */
export function encodeBf16Job(chunk: i32): void {
  const chunks = chunkCount();
  const row = <usize>chunkStart(chunk, chunks, int(2));
  const end = <usize>chunkStart(chunk + 1, chunks, int(2));
  let from = pointer(0) + (row << 5);
  let to = pointer(1) + (row << 4);
  for (const stop = pointer(1) + (end << 4); to < stop; to += 16, from += 32) {
    const first = round(v128.load(from));
    const second = round(v128.load(from, 16));
    v128.store(to, v128.or(i32x4.shr_u(first, 16), high(second)));
  }
}

/** Panels of bfloat16 → panels of floats. Ints as above. */
export function decodeBf16Job(chunk: i32): void {
  const chunks = chunkCount();
  const row = chunkStart(chunk, chunks, int(2));
  const end = chunkStart(chunk + 1, chunks, int(2));
  decodeBf16(pointer(0) + (<usize>row << 4), end - row, pointer(1) + (<usize>row << 5));
}

/** `rows` rows of a panel as floats. */
export function decodeBf16(from: usize, rows: i32, to: usize): void {
  for (const stop = from + (<usize>rows << 4); from < stop; from += 16, to += 32) {
    const row = v128.load(from);
    v128.store(to, low(row));
    v128.store(to, high(row), 16);
  }
}

/** The float at (row, column) of a packed matrix of `rows` rows. */
// @ts-expect-error: decorator
@inline
export function bf16At(base: usize, rows: i32, row: i32, column: i32): f32 {
  const at = base + ((<usize>(column >> 3) * <usize>rows + <usize>row) << 4);
  return reinterpret<f32>(<u32>load<u16>(at + (<usize>(column & 3) << 2) + (<usize>(column & 4) >> 1)) << 16);
}

/** c [N] = x [K]·B (+ bias) (then GELU). Ints: x, panels of B, c, N, K, bias or 0, mode. Split by panels. */
export function vectorMatmulBf16Job(chunk: i32): void {
  const n = int(3);
  const k = int(4);
  const panels = (n + 7) >> 3;
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, panels);
  const panelStep = <usize>k << 4;
  for (let panel = chunkStart(chunk, chunks, panels); panel < end; panel += 2) {
    // The second panel of the last pair may be missing: the first is read twice then.
    const b = pointer(1) + <usize>panel * panelStep;
    twoPanels(b, panel + 1 < end ? b + panelStep : b, panel << 3, panel + 1 < end);
  }
}

/** Sums in the order of vectorMatmulJob (matmul.ts): the bits are those of a float32 matrix of the same values. */
function twoPanels(b: usize, d: usize, column: i32, both: bool): void {
  const n = int(3);
  const k = int(4);
  const mode = int(6);
  let x = pointer(0);
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  let total2 = f32x4.splat(0);
  let total3 = f32x4.splat(0);
  for (let start = 0; start < k; start += BLOCK) {
    let depth = min(BLOCK, k - start);
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    let sum2 = f32x4.splat(0);
    let sum3 = f32x4.splat(0);
    for (; depth >= 2; depth -= 2) {
      const x0 = v128.load32_splat(x);
      let p = v128.load(b);
      let q = v128.load(d);
      sum0 = madd(x0, low(p), sum0);
      sum1 = madd(x0, high(p), sum1);
      sum2 = madd(x0, low(q), sum2);
      sum3 = madd(x0, high(q), sum3);
      const x1 = v128.load32_splat(x, 4);
      p = v128.load(b, 16);
      q = v128.load(d, 16);
      sum0 = madd(x1, low(p), sum0);
      sum1 = madd(x1, high(p), sum1);
      sum2 = madd(x1, low(q), sum2);
      sum3 = madd(x1, high(q), sum3);
      x += 8;
      b += 32;
      d += 32;
    }
    if (depth > 0) {
      const x0 = v128.load32_splat(x);
      const p = v128.load(b);
      const q = v128.load(d);
      sum0 = madd(x0, low(p), sum0);
      sum1 = madd(x0, high(p), sum1);
      sum2 = madd(x0, low(q), sum2);
      sum3 = madd(x0, high(q), sum3);
    }
    total0 = start > 0 ? f32x4.add(total0, sum0) : sum0;
    total1 = start > 0 ? f32x4.add(total1, sum1) : sum1;
    total2 = start > 0 ? f32x4.add(total2, sum2) : sum2;
    total3 = start > 0 ? f32x4.add(total3, sum3) : sum3;
  }
  const offset = <usize>column << 2;
  const c = pointer(2) + offset;
  const bias = pointer(5) ? pointer(5) + offset : 0;
  storeSomeOfRow(c, total0, total1, min(8, n - column), bias, mode & GELU);
  if (both) storeSomeOfRow(c + 32, total2, total3, min(8, n - column - 8), bias ? bias + 32 : 0, mode & GELU);
}
