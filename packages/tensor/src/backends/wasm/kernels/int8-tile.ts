// Products of several rows with matrices of 8-bit integers: tiles of 4 rows × 8 columns, summed group by group as
// int8-vector.ts does it.
import { chunkCount, chunkStart, int, pointer } from "./control";
import { panelBytes, QUAD, quadBytes, SCALES, SUMS } from "./int8-layout";
import { addScaled, withoutOffset } from "./int8-vector";
import { dotBytes } from "./simd";
import { GELU, storeSomeOfRow } from "./tile";

/**
 * C [M, N] = A·B (+ bias) (then GELU). Ints: integers of A in tiles of 4 rows, their scales, panels of B, C, M, N, K, bias
 * or 0, mode, group, row blocks, room for 4 × 8 floats per chunk, whether the integers are split into bytes. Split as
 * matmulJob (matmul.ts).
 */
export function int8MatmulJob(chunk: i32): void {
  const m = int(4);
  const n = int(5);
  const k = int(6);
  const group = int(9);
  const rowBlocks = int(10);
  const totals = pointer(11) + (<usize>chunk << 7);
  const bytes = int(12) != 0;
  const columnBlock = chunk / rowBlocks;
  const columnBlocks = chunkCount() / rowBlocks;
  const rowBlock = chunk % rowBlocks;
  const tiles = (m + 3) >> 2;
  const panels = (n + 7) >> 3;
  const firstTile = chunkStart(rowBlock, rowBlocks, tiles);
  const endTile = chunkStart(rowBlock + 1, rowBlocks, tiles);
  const endPanel = chunkStart(columnBlock + 1, columnBlocks, panels);
  const step = panelBytes(k, group);
  const tileStep = quadBytes(k);
  const scaleStep = <usize>((k + group - 1) / group) << 4;
  const cStep = <usize>n << 2;
  for (let panel = chunkStart(columnBlock, columnBlocks, panels); panel < endPanel; panel++) {
    const b = pointer(2) + <usize>panel * step;
    const column = <usize>panel << 5;
    const columns = min(8, n - (panel << 3));
    const bias = pointer(7) ? pointer(7) + column : 0;
    for (let tile = firstTile; tile < endTile; tile++) {
      const a = pointer(0) + <usize>tile * tileStep;
      const scales = pointer(1) + <usize>tile * scaleStep;
      memory.fill(totals, 0, 128);
      if (bytes) tileOfBytes(a, scales, b, k, group, totals);
      else tileOfWords(a, scales, b, k, group, totals);
      let c = pointer(3) + <usize>(tile << 2) * cStep + column;
      const rows = min(4, m - (tile << 2));
      for (let row = 0; row < rows; row++, c += cStep) {
        const total = totals + (<usize>row << 5);
        storeSomeOfRow(c, v128.load(total), v128.load(total, 16), columns, bias, int(8) & GELU);
      }
    }
  }
}

/** Adds the scaled sums of a group to a row of totals. */
// @ts-expect-error: decorator
@inline
function addRow(totals: usize, sums0: v128, sums1: v128, low: v128, high: v128, scale: usize): void {
  const rowScale = v128.load32_splat(scale);
  v128.store(totals, addScaled(v128.load(totals), sums0, low, rowScale));
  v128.store(totals, addScaled(v128.load(totals, 16), sums1, high, rowScale), 16);
}

function tileOfWords(a: usize, scales: usize, b: usize, k: i32, group: i32, totals: usize): void {
  for (let start = 0; start < k; start += group) {
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let b0 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    let c0 = i32x4.splat(0);
    let c1 = i32x4.splat(0);
    let d0 = i32x4.splat(0);
    let d1 = i32x4.splat(0);
    const end = b + quadBytes(min(group, k - start));
    for (; b < end; b += QUAD, a += 32) {
      let w0 = v128.load8x8_s(b);
      let w1 = v128.load8x8_s(b, 8);
      let x = v128.load32_splat(a);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(w0, x));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 8);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w0, x));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 16);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(w0, x));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 24);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(w0, x));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(w1, x));
      w0 = v128.load8x8_s(b, 16);
      w1 = v128.load8x8_s(b, 24);
      x = v128.load32_splat(a, 4);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(w0, x));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 12);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w0, x));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 20);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(w0, x));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 28);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(w0, x));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(w1, x));
    }
    const low = v128.load(b);
    const high = v128.load(b, 16);
    addRow(totals, a0, a1, low, high, scales);
    addRow(totals + 32, b0, b1, low, high, scales + 4);
    addRow(totals + 64, c0, c1, low, high, scales + 8);
    addRow(totals + 96, d0, d1, low, high, scales + 12);
    b += SCALES + SUMS;
    scales += 16;
  }
}

/** First the upper bits of all of a group's terms, then the lower ones. */
function tileOfBytes(a: usize, scales: usize, b: usize, k: i32, group: i32, totals: usize): void {
  for (let start = 0; start < k; start += group) {
    const end = b + quadBytes(min(group, k - start));
    let a0 = withoutOffset(end + SCALES);
    let a1 = withoutOffset(end + SCALES + 8);
    let b0 = a0;
    let b1 = a1;
    let c0 = a0;
    let c1 = a1;
    let d0 = a0;
    let d1 = a1;
    let p = b;
    let q = a;
    for (; p < end; p += QUAD, q += 32) {
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      let x = v128.load32_splat(q);
      a0 = dotBytes(w0, x, a0);
      a1 = dotBytes(w1, x, a1);
      x = v128.load32_splat(q, 8);
      b0 = dotBytes(w0, x, b0);
      b1 = dotBytes(w1, x, b1);
      x = v128.load32_splat(q, 16);
      c0 = dotBytes(w0, x, c0);
      c1 = dotBytes(w1, x, c1);
      x = v128.load32_splat(q, 24);
      d0 = dotBytes(w0, x, d0);
      d1 = dotBytes(w1, x, d1);
    }
    a0 = i32x4.shl(a0, 7);
    a1 = i32x4.shl(a1, 7);
    b0 = i32x4.shl(b0, 7);
    b1 = i32x4.shl(b1, 7);
    c0 = i32x4.shl(c0, 7);
    c1 = i32x4.shl(c1, 7);
    d0 = i32x4.shl(d0, 7);
    d1 = i32x4.shl(d1, 7);
    for (; b < end; b += QUAD, a += 32) {
      const w0 = v128.load(b);
      const w1 = v128.load(b, 16);
      let x = v128.load32_splat(a, 4);
      a0 = dotBytes(w0, x, a0);
      a1 = dotBytes(w1, x, a1);
      x = v128.load32_splat(a, 12);
      b0 = dotBytes(w0, x, b0);
      b1 = dotBytes(w1, x, b1);
      x = v128.load32_splat(a, 20);
      c0 = dotBytes(w0, x, c0);
      c1 = dotBytes(w1, x, c1);
      x = v128.load32_splat(a, 28);
      d0 = dotBytes(w0, x, d0);
      d1 = dotBytes(w1, x, d1);
    }
    const low = v128.load(b);
    const high = v128.load(b, 16);
    addRow(totals, a0, a1, low, high, scales);
    addRow(totals + 32, b0, b1, low, high, scales + 4);
    addRow(totals + 64, c0, c1, low, high, scales + 8);
    addRow(totals + 96, d0, d1, low, high, scales + 12);
    b += SCALES + SUMS;
    scales += 16;
  }
}
