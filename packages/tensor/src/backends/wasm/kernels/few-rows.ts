// Products of a few rows, as several texts generated together make them: too many to wait for memory alone, too few to forget it.
// As in streams.ts the matrix is read as four streams of panels. They take turns, two and two: a short piece of two panels is multiplied
// with all rows, two rows at a time, then one of the next two. So a loop draws on two streams at once, and while the other rows pass by
// the processor fetches the next pieces of all four by itself: four rows take little longer than two. (A panel at a time with tiles of
// four rows reads half as much in the same time; pieces of 8 rows or of 64 cost a tenth more.) Results wait until they fill long runs:
// rows of C lie in as many pages, and a visit to these makes the processor forget the streams that it was fetching. The sums are those
// of matmul.ts, in the same order.
import { BLOCK, FEW_ROWS_PANELS, STREAMS } from "../abi";
import { upperHalves } from "./bf16";
import { int, pointer } from "./control";
import { madd } from "./simd";
import { firstPanel, panelsOfStream, storePanel } from "./streams";
import { first, second } from "./vector";

/** Rows of its panels that a stream reads in its turn; after each, sums leave the registers. */
const PIECE: i32 = 16;
/** Bytes of the sums of a row, [8 columns], and of those of a tile, [4 rows][8]. */
const ROW_SUMS: usize = 32;
const TILE_SUMS: usize = 4 * ROW_SUMS;

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

/** Panels `panel`, `panel + apart` and so on, those before `end`. `sums`, `totals`: [streams][rows in whole tiles][8]. */
// @ts-expect-error: decorator
@inline
function fourPanels(panel: i32, apart: i32, end: i32, sums: usize, totals: usize, bf16: bool): void {
  const k = int(4);
  const m = int(7);
  const tiles = (m + 3) >> 2;
  const ofStream = <usize>tiles * TILE_SUMS;
  const rowShift: usize = bf16 ? 4 : 5;
  const panelStep = <usize>k << rowShift;
  const streamStep = <usize>apart * panelStep;
  const b = pointer(1) + <usize>panel * panelStep;
  const streams = min(STREAMS, (end - panel + apart - 1) / apart);
  for (let start = 0; start < k; start += BLOCK) {
    const depth = min(BLOCK, k - start);
    const a = pointer(0) + (<usize>(start * tiles) << 4);
    for (let done = 0; done < depth; done += PIECE) {
      const rows = min(PIECE, depth - done);
      let fromB = b + (<usize>(start + done) << rowShift);
      for (let stream = 0; stream < streams; stream += 2, fromB += 2 * streamStep) {
        const otherB = stream + 1 < streams ? fromB + streamStep : fromB; // its sums are not used then
        let to = sums + <usize>stream * ofStream;
        for (let row = 0; row < m; row += 2, to += 2 * ROW_SUMS) {
          const fromA = a + (<usize>((row >> 2) * depth + done) << 4) + (<usize>(row & 2) << 2);
          if (bf16) addPieceBf16(fromA, fromB, otherB, rows, to, ofStream, done == 0);
          else addPiece(fromA, fromB, otherB, rows, to, ofStream, done == 0);
        }
      }
    }
    addSums(totals, sums, STREAMS * ofStream, start == 0);
  }
}

/** sums [2][8] of a panel, and `apart` bytes on those of another, = or += A·B over `depth` terms. `a`: 2 of [depth][4]; `b`: [depth][8]. */
function addPiece(a: usize, b0: usize, b1: usize, depth: i32, sums: usize, apart: usize, isFirst: bool): void {
  multiplyPiece(a, b0, b1, depth, sums, apart, isFirst, false);
}

function addPieceBf16(a: usize, b0: usize, b1: usize, depth: i32, sums: usize, apart: usize, isFirst: bool): void {
  multiplyPiece(a, b0, b1, depth, sums, apart, isFirst, true);
}

// @ts-expect-error: decorator
@inline
function multiplyPiece(
  a: usize,
  b0: usize,
  b1: usize,
  depth: i32,
  sums: usize,
  apart: usize,
  isFirst: bool,
  bf16: bool,
): void {
  const row: usize = bf16 ? 16 : 32;
  const upper = upperHalves();
  const others = sums + apart;
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
    sum4 = v128.load(others);
    sum5 = v128.load(others, 16);
    sum6 = v128.load(others, 32);
    sum7 = v128.load(others, 48);
  }
  for (const end = a + (<usize>depth << 4); a < end; a += 16, b0 += row, b1 += row) {
    const x0 = v128.load32_splat(a);
    const x1 = v128.load32_splat(a, 4);
    let b = v128.load(b0);
    let half = first(b, bf16);
    sum0 = madd(x0, half, sum0);
    sum2 = madd(x1, half, sum2);
    half = second(b, b0, upper, bf16);
    sum1 = madd(x0, half, sum1);
    sum3 = madd(x1, half, sum3);
    b = v128.load(b1);
    half = first(b, bf16);
    sum4 = madd(x0, half, sum4);
    sum6 = madd(x1, half, sum6);
    half = second(b, b1, upper, bf16);
    sum5 = madd(x0, half, sum5);
    sum7 = madd(x1, half, sum7);
  }
  v128.store(sums, sum0);
  v128.store(sums, sum1, 16);
  v128.store(sums, sum2, 32);
  v128.store(sums, sum3, 48);
  v128.store(others, sum4);
  v128.store(others, sum5, 16);
  v128.store(others, sum6, 32);
  v128.store(others, sum7, 48);
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
