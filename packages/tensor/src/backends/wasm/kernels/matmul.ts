// Matrix products. The right operand B [K, N] comes as panels (panels.ts); the left one A [M, K] packed into tiles of 4
// rows, or as it is when M is 1 (vector.ts). Work is split over the elements of the result, never over K.
import { BLOCK, MODE_ADD, WIDE_PANELS } from "../abi";
import { decodeBf16 } from "./bf16";
import { chunkCount, chunkStart, int, pointer } from "./control";
import { tile } from "./tile";
import { wideTile } from "./wide-tile";

/** Panels of B whose part of the result stays in the second-level cache while the blocks of K add up: a multiple of WIDE_PANELS. */
const GROUP: i32 = 9;
/**
 * Rows of tiles of A (16 bytes each) that stay in the second-level cache as a whole. Then B is read panel by panel, one byte
 * behind the other; a jump every 8 KiB kept a product of few rows waiting for memory, up to twice as long.
 */
const CACHED_TILE_ROWS: i32 = 8192;

/**
 * A strided matrix [rows, columns] → tiles: for each BLOCK of columns [rows / 4][columns of the block][4], missing rows zero.
 * What is multiplied with a block of a panel so lies in few pages, one behind the other. Ints: source, target, rows,
 * columns, row stride, column stride (elements). Split by tiles.
 */
export function packTilesJob(chunk: i32): void {
  const rows = int(2);
  const columns = int(3);
  const rowStep = <usize>int(4) << 2;
  const columnStep = <usize>int(5) << 2;
  const tiles = (rows + 3) >> 2;
  const chunks = chunkCount();
  const end = chunkStart(chunk + 1, chunks, tiles);
  for (let index = chunkStart(chunk, chunks, tiles); index < end; index++) {
    const count = min(4, rows - (index << 2));
    for (let start = 0; start < columns; start += BLOCK) {
      const depth = min(BLOCK, columns - start);
      const source = pointer(0) + <usize>(index << 2) * rowStep + <usize>start * columnStep;
      const target = pointer(1) + (<usize>(start * tiles + index * depth) << 4);
      if (count == 4 && columnStep == 4) packFourRows(source, target, depth, rowStep);
      else if (count == 4 && rowStep == 4) packFourColumns(source, target, depth, columnStep);
      else packTile(source, target, depth, count, rowStep, columnStep);
    }
  }
}

export function packFourRows(source: usize, target: usize, columns: i32, rowStep: usize): void {
  let column = 0;
  for (; column + 4 <= columns; column += 4) {
    const a = v128.load(source);
    const b = v128.load(source + rowStep);
    const c = v128.load(source + 2 * rowStep);
    const d = v128.load(source + 3 * rowStep);
    const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(target, v128.shuffle<i32>(ab0, cd0, 0, 1, 4, 5));
    v128.store(target, v128.shuffle<i32>(ab0, cd0, 2, 3, 6, 7), 16);
    v128.store(target, v128.shuffle<i32>(ab1, cd1, 0, 1, 4, 5), 32);
    v128.store(target, v128.shuffle<i32>(ab1, cd1, 2, 3, 6, 7), 48);
    source += 16;
    target += 64;
  }
  packTile(source, target, columns - column, 4, rowStep, 4);
}

/** Of a transposed matrix: its rows lie next to each other. */
function packFourColumns(source: usize, target: usize, columns: i32, columnStep: usize): void {
  for (const end = target + (<usize>columns << 4); target < end; target += 16, source += columnStep) {
    v128.store(target, v128.load(source));
  }
}

export function packTile(source: usize, target: usize, columns: i32, count: i32, rowStep: usize, columnStep: usize): void {
  for (let column = 0; column < columns; column++) {
    let from = source;
    for (let row = 0; row < 4; row++) {
      store<f32>(target, row < count ? load<f32>(from) : 0);
      from += rowStep;
      target += 4;
    }
    source += columnStep;
  }
}

/**
 * C [M, N] = A·B (+ bias) (then GELU), or C += A·B. Ints: tiles of A, panels of B, C, M, N, K, bias or 0, mode, row blocks; if the
 * panels are bfloat16, room per chunk for BLOCK rows of those that are multiplied together, else 0; bytes from a row of C to the next;
 * panels that are multiplied together, 1 or WIDE_PANELS. Split into row blocks × column blocks; row blocks of the same columns follow
 * each other, so that threads share what they read of B.
 */
export function matmulJob(chunk: i32): void {
  const c = pointer(2);
  const m = int(3);
  const n = int(4);
  const k = int(5);
  const bias = pointer(6);
  const rowBlocks = int(8);
  const columnBlock = chunk / rowBlocks;
  const columnBlocks = chunkCount() / rowBlocks;
  const rowBlock = chunk % rowBlocks;
  const tiles = (m + 3) >> 2;
  const panels = (n + 7) >> 3;
  const firstTile = chunkStart(rowBlock, rowBlocks, tiles);
  const endTile = chunkStart(rowBlock + 1, rowBlocks, tiles);
  const firstPanel = chunkStart(columnBlock, columnBlocks, panels);
  const endPanel = chunkStart(columnBlock + 1, columnBlocks, panels);
  const cStep = pointer(10);
  const bf16 = pointer(9) != 0;
  const together = int(11);
  const decoded = pointer(9) + ((<usize>(chunk * together) * BLOCK) << 5);
  const rowShift: usize = bf16 ? 4 : 5;
  const panelStep = <usize>k << rowShift;
  const atOnce = (endTile - firstTile) * k > CACHED_TILE_ROWS ? GROUP : together;
  for (let group = firstPanel; group < endPanel; group += atOnce) {
    const endGroup = min(group + atOnce, endPanel);
    for (let start = 0; start < k; start += BLOCK) {
      const depth = min(BLOCK, k - start);
      const last = start + depth == k;
      const mode = (start > 0 ? MODE_ADD : int(7) & MODE_ADD) | (last ? int(7) : 0);
      const a = pointer(0) + (<usize>(start * tiles) << 4);
      const tileStep = <usize>depth << 4;
      const b = pointer(1) + (<usize>start << rowShift);
      for (let panel = group; panel < endGroup; ) {
        const column = panel << 3;
        const wide = together == WIDE_PANELS && panel + WIDE_PANELS <= endGroup && column + 8 * WIDE_PANELS <= n;
        const count = wide ? WIDE_PANELS : 1;
        const columns = min(8, n - column);
        const to = c + (<usize>column << 2);
        const biasHere = bias && last ? bias + (<usize>column << 2) : 0;
        let fromB = b + <usize>panel * panelStep;
        let stepB = panelStep;
        if (bf16) {
          stepB = <usize>depth << 5;
          for (let i = 0; i < count; i++) decodeBf16(fromB + <usize>i * panelStep, depth, decoded + <usize>i * stepB);
          fromB = decoded;
        }
        for (let index = firstTile; index < endTile; index++) {
          const row = index << 2;
          const fromA = a + <usize>index * tileStep;
          const toC = to + <usize>row * cStep;
          const rows = min(4, m - row);
          if (wide && rows == 4) {
            wideTile(fromA, fromB, stepB, depth, toC, cStep, biasHere, mode);
            wideTile(fromA + 8, fromB, stepB, depth, toC + 2 * cStep, cStep, biasHere, mode);
            continue;
          }
          for (let i = 0; i < count; i++) {
            const at = <usize>i << 5;
            const biasOfPanel = biasHere ? biasHere + at : 0;
            tile(fromA, fromB + <usize>i * stepB, depth, toC + at, cStep, rows, columns, biasOfPanel, mode);
          }
        }
        panel += count;
      }
    }
  }
}
