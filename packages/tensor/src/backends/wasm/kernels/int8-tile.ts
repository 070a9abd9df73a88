// Products of several rows with matrices of 8-bit integers: tiles of 4 rows × 8 columns, summed group by group as
// int8-sums.ts says.
import {
  INT8_BLOCK_ROWS,
  INT8_PANELS,
  INT8_QUAD,
  INT8_SCALES,
  INT8_SUMS,
  INT8_TOTALS,
  INT8_WIDENED,
  INT8_WORDS,
  MODE_GELU,
} from "../abi";
import { multiplyTile } from "./byte-module";
import { chunkCount, chunkStart, int, pointer, shrinkingStart } from "./control";
import { panelBytes, quadBytes } from "./int8-layout";
import { addRow } from "./int8-sums";
import { storeSomeOfRow } from "./tile";

/**
 * C [M, N] = A·B (+ bias) (then GELU). Ints: integers of A in tiles of 4 rows, their scales and offsets, panels of B, C, M, N, K,
 * bias or 0, mode, group, how the integers are multiplied (INT8_… of ../abi.ts), row blocks, room for each chunk, its bytes.
 * The room holds INT8_BLOCK_ROWS rows of a panel as words, then the totals of INT8_PANELS panels × the tiles of a row block.
 * Split as matmulJob (matmul.ts), with blocks of columns that shrink.
 */
export function int8MatmulJob(chunk: i32): void {
  const n = int(6);
  const k = int(7);
  const group = int(10);
  const words = int(11) == INT8_WORDS;
  const rowBlocks = int(12);
  const columnBlock = chunk / rowBlocks;
  const columnBlocks = chunkCount() / rowBlocks;
  const rowBlock = chunk % rowBlocks;
  const tiles = (int(5) + 3) >> 2;
  const panels = (n + 7) >> 3;
  const firstTile = chunkStart(rowBlock, rowBlocks, tiles);
  const endTile = chunkStart(rowBlock + 1, rowBlocks, tiles);
  const endPanel = shrinkingStart(columnBlock + 1, columnBlocks, panels);
  const widened = pointer(13) + <usize>chunk * pointer(14);
  const totals = widened + INT8_WIDENED;
  const totalsStep = <usize>(endTile - firstTile) * INT8_TOTALS;
  const step = panelBytes(k, group);
  // Words of four rows take as many bytes as the integers of a panel, bytes half of them.
  const half = words ? 0 : 1;
  const tileStep = quadBytes(k) >> half;
  const scaleStep = <usize>((k + group - 1) / group) << 4;
  // Bytes are read as they lie, a panel from end to end: blocks of 768 rows, each a jump, took half as long again with 8 rows of A.
  const block = words ? max(1, INT8_BLOCK_ROWS / group) * group : k;
  for (let first = shrinkingStart(columnBlock, columnBlocks, panels); first < endPanel; first += INT8_PANELS) {
    const end = min(first + INT8_PANELS, endPanel);
    memory.fill(totals, 0, <usize>(end - first) * totalsStep);
    for (let start = 0; start < k; start += block) {
      const depth = min(block, k - start);
      const a = pointer(0) + (quadBytes(start) >> half);
      const ofGroup = <usize>(start / group) << 4;
      let b = pointer(3) + <usize>first * step + panelBytes(start, group);
      let total = totals;
      for (let panel = first; panel < end; panel++, b += step) {
        if (words) widen(b, depth, group, widened);
        for (let tile = firstTile; tile < endTile; tile++, total += INT8_TOTALS) {
          const fromA = a + <usize>tile * tileStep;
          const place = ofGroup + <usize>tile * scaleStep;
          if (words) tileOfWords(fromA, pointer(1) + place, widened, b, depth, group, total);
          else multiplyTile(fromA, pointer(1) + place, pointer(2) + place, b, depth, group, total);
        }
      }
    }
    for (let panel = first; panel < end; panel++) {
      storePanel(panel, firstTile, endTile, totals + <usize>(panel - first) * totalsStep);
    }
  }
}

/** The integers of `rows` rows of a panel as 16-bit words, without what lies between the groups. */
function widen(b: usize, rows: i32, group: i32, words: usize): void {
  for (let start = 0; start < rows; start += group, b += INT8_SCALES + INT8_SUMS) {
    for (const end = b + quadBytes(min(group, rows - start)); b < end; b += INT8_QUAD, words += 2 * INT8_QUAD) {
      v128.store(words, v128.load8x8_s(b));
      v128.store(words, v128.load8x8_s(b, 8), 16);
      v128.store(words, v128.load8x8_s(b, 16), 32);
      v128.store(words, v128.load8x8_s(b, 24), 48);
    }
  }
}

/** The totals of a panel's tiles → C. */
function storePanel(panel: i32, firstTile: i32, endTile: i32, totals: usize): void {
  const m = int(5);
  const n = int(6);
  const column = <usize>panel << 5;
  const columns = min(8, n - (panel << 3));
  const bias = pointer(8) ? pointer(8) + column : 0;
  const cStep = <usize>n << 2;
  const endRow = min(m, endTile << 2);
  let c = pointer(4) + <usize>(firstTile << 2) * cStep + column;
  for (let row = firstTile << 2; row < endRow; row++, c += cStep, totals += 32) {
    storeSomeOfRow(c, v128.load(totals), v128.load(totals, 16), columns, bias, int(9) & MODE_GELU);
  }
}

/**
 * Adds products to totals [4][8]. `a`: [rows / 2][4][2] words; `words`: [rows / 2][8][2]; `b`: the panel itself, whose
 * groups' scales are read.
 */
function tileOfWords(a: usize, scales: usize, words: usize, b: usize, rows: i32, group: i32, totals: usize): void {
  for (let start = 0; start < rows; start += group) {
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let b0 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    let c0 = i32x4.splat(0);
    let c1 = i32x4.splat(0);
    let d0 = i32x4.splat(0);
    let d1 = i32x4.splat(0);
    const bytes = quadBytes(min(group, rows - start));
    // A pair of rows at a time: more in one basic block would spill (tile.ts tells why).
    for (const end = words + 2 * bytes; words < end; words += INT8_QUAD, a += 16) {
      const w0 = v128.load(words);
      const w1 = v128.load(words, 16);
      let x = v128.load32_splat(a);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(w0, x));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 4);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w0, x));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 8);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(w0, x));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load32_splat(a, 12);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(w0, x));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(w1, x));
    }
    b += bytes;
    const low = v128.load(b);
    const high = v128.load(b, 16);
    addRow(totals, a0, a1, low, high, scales);
    addRow(totals + 32, b0, b1, low, high, scales + 4);
    addRow(totals + 64, c0, c1, low, high, scales + 8);
    addRow(totals + 96, d0, d1, low, high, scales + 12);
    b += INT8_SCALES + INT8_SUMS;
    scales += 16;
  }
}
