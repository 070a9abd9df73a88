// Products of a few rows, as several texts generated together make them: too many to wait for memory alone, too few to forget it.
// As in streams.ts the matrix is read as four streams of panels. Here they take turns: a piece of a panel is multiplied with all
// rows, then one of the next stream's. Meanwhile the processor fetches the next pieces of all four by itself, so that reading costs
// little beside the arithmetic; of one stream, read a panel at a time, it fetches while the first four rows are multiplied, and
// nothing while the others are. Results wait until they fill long runs: rows of C lie in as many pages, and a visit to these
// makes the processor forget the streams that it was fetching. The sums are those of matmul.ts, in the same order.
import { BLOCK, FEW_ROWS_PANELS, STREAMS } from "../abi";
import { upperHalves } from "./bf16";
import { int, pointer } from "./control";
import { madd } from "./simd";
import { firstPanel, panelsOfStream, storePanel } from "./streams";
import { first, second } from "./vector";

/**
 * Rows of a panel that a stream reads in its turn; after each, sums leave the registers. The more tiles pass by, the longer the
 * others wait: with one or two, 64 rows took a fifth less time than 16 (Zen 5 class), with three or four a fifth more.
 */
const LONG_PIECE: i32 = 64;
const PIECE: i32 = 16;
/** Bytes of the sums of a tile, [4 rows][8 columns]. */
const TILE_SUMS: usize = 128;

/**
 * C [M, N] = A·B (+ bias) (then GELU). Ints: tiles of A, panels of B, C, N, K, bias or 0, mode, M, room for each chunk: sums of
 * 1 + FEW_ROWS_PANELS panels of each stream. Split by panels.
 */
export function fewRowsMatmulJob(chunk: i32): void {
  multiplyPanels(chunk, false);
}

/** The same with panels of bfloat16. */
export function fewRowsMatmulBf16Job(chunk: i32): void {
  multiplyPanels(chunk, true);
}

// @ts-expect-error: decorator
@inline
function multiplyPanels(chunk: i32, bf16: bool): void {
  const panels = (int(3) + 7) >> 3;
  const end = firstPanel(chunk + 1, panels);
  const begin = firstPanel(chunk, panels);
  const apart = panelsOfStream(end - begin);
  const stop = begin + apart;
  const ofStream = <usize>((int(7) + 3) >> 2) * TILE_SUMS;
  const step = STREAMS * ofStream;
  const sums = pointer(8) + <usize>chunk * (1 + FEW_ROWS_PANELS) * step;
  const totals = sums + step;
  for (let panel = begin; panel < stop; panel += FEW_ROWS_PANELS) {
    const count = min(FEW_ROWS_PANELS, stop - panel);
    for (let i = 0; i < count; i++) fourPanels(panel + i, apart, end, sums, totals + <usize>i * step, bf16);
    for (let stream = 0; stream < STREAMS; stream++) {
      const at = panel + stream * apart;
      storeRows(at, min(count, end - at), totals + <usize>stream * ofStream, step);
    }
  }
}

/** Panels `panel`, `panel + apart` and so on, those before `end`. `sums`, `totals`: [streams][tiles][4][8]. */
// @ts-expect-error: decorator
@inline
function fourPanels(panel: i32, apart: i32, end: i32, sums: usize, totals: usize, bf16: bool): void {
  const k = int(4);
  const tiles = (int(7) + 3) >> 2;
  const rowShift: usize = bf16 ? 4 : 5;
  const panelStep = <usize>k << rowShift;
  const streamStep = <usize>apart * panelStep;
  const b = pointer(1) + <usize>panel * panelStep;
  const piece = tiles <= 2 ? LONG_PIECE : PIECE;
  const streams = min(STREAMS, (end - panel + apart - 1) / apart);
  for (let start = 0; start < k; start += BLOCK) {
    const depth = min(BLOCK, k - start);
    const a = pointer(0) + (<usize>(start * tiles) << 4);
    const tileStep = <usize>depth << 4;
    for (let done = 0; done < depth; done += piece) {
      const rows = min(piece, depth - done);
      const fromA = a + (<usize>done << 4);
      const endA = fromA + <usize>tiles * tileStep;
      let fromB = b + (<usize>(start + done) << rowShift);
      let to = sums;
      for (let stream = 0; stream < streams; stream++, fromB += streamStep) {
        for (let at = fromA; at < endA; at += tileStep, to += TILE_SUMS) {
          if (bf16) addPieceBf16(at, fromB, rows, to, done == 0);
          else addPiece(at, fromB, rows, to, done == 0);
        }
      }
    }
    addSums(totals, sums, <usize>(streams * tiles) * TILE_SUMS, start == 0);
  }
}

/** sums [4][8] = or += A·B over `depth` terms. `a`: [depth][4]; `b`: [depth][8]. */
function addPiece(a: usize, b: usize, depth: i32, sums: usize, isFirst: bool): void {
  multiplyPiece(a, b, depth, sums, isFirst, false);
}

function addPieceBf16(a: usize, b: usize, depth: i32, sums: usize, isFirst: bool): void {
  multiplyPiece(a, b, depth, sums, isFirst, true);
}

// @ts-expect-error: decorator
@inline
function multiplyPiece(a: usize, b: usize, depth: i32, sums: usize, isFirst: bool, bf16: bool): void {
  const row: usize = bf16 ? 16 : 32;
  const upper = upperHalves();
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  let sum4 = f32x4.splat(0);
  let sum5 = f32x4.splat(0);
  let sum6 = f32x4.splat(0);
  let sum7 = f32x4.splat(0);
  if (!isFirst) {
    sum0 = v128.load(sums);
    sum1 = v128.load(sums, 16);
    sum2 = v128.load(sums, 32);
    sum3 = v128.load(sums, 48);
    sum4 = v128.load(sums, 64);
    sum5 = v128.load(sums, 80);
    sum6 = v128.load(sums, 96);
    sum7 = v128.load(sums, 112);
  }
  for (const end = a + (<usize>depth << 4); a < end; a += 16, b += row) {
    const eight = v128.load(b);
    const left = first(eight, bf16);
    const right = second(eight, b, upper, bf16);
    let x = v128.load32_splat(a);
    sum0 = madd(x, left, sum0);
    sum1 = madd(x, right, sum1);
    x = v128.load32_splat(a, 4);
    sum2 = madd(x, left, sum2);
    sum3 = madd(x, right, sum3);
    x = v128.load32_splat(a, 8);
    sum4 = madd(x, left, sum4);
    sum5 = madd(x, right, sum5);
    x = v128.load32_splat(a, 12);
    sum6 = madd(x, left, sum6);
    sum7 = madd(x, right, sum7);
  }
  v128.store(sums, sum0);
  v128.store(sums, sum1, 16);
  v128.store(sums, sum2, 32);
  v128.store(sums, sum3, 48);
  v128.store(sums, sum4, 64);
  v128.store(sums, sum5, 80);
  v128.store(sums, sum6, 96);
  v128.store(sums, sum7, 112);
}

/** totals = or += sums. */
// @ts-expect-error: decorator
@inline
function addSums(totals: usize, sums: usize, bytes: usize, isFirst: bool): void {
  for (const end = sums + bytes; sums < end; sums += 16, totals += 16) {
    const sum = v128.load(sums);
    v128.store(totals, isFirst ? sum : f32x4.add(v128.load(totals), sum));
  }
}

/** The results of `count` panels, whose totals are `step` bytes apart: row by row of C. */
function storeRows(panel: i32, count: i32, totals: usize, step: usize): void {
  const n = int(3);
  let c = pointer(2);
  for (const end = c + ((<usize>int(7) * <usize>n) << 2); c < end; c += <usize>n << 2, totals += 32) {
    let from = totals;
    for (let i = 0; i < count; i++, from += step) {
      storePanel(c, n, panel + i, v128.load(from), v128.load(from, 16), pointer(5), int(6));
    }
  }
}
