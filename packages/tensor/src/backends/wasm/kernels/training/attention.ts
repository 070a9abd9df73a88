// The gradients of attention over one sequence and head: a block of queries at a time, their probabilities computed again, all
// products by the tiles of ../tile.ts. Sums over queries run in the order of the blocks, so that a sequence has the same bits alone.
import { BACKWARD_QUERIES, BACKWARD_TASK_BYTES, BACKWARD_TASK_LENGTH, MODE_ADD } from "../../abi";
import { exponentials } from "../attention-scores";
import { chunkCount, float, int, pointer } from "../control";
import { packFourRows, packTile } from "../matmul";
import { packAny, packColumns, packRows } from "../panels";
import { tile } from "../tile";
import { sumOfProducts } from "./softmax";

/**
 * Ints: number of tasks, address of the first (../../abi.ts has their fields), D, 1 if causal, address and bytes of scratch memory per
 * chunk, keys that it has room for (a multiple of 8). Float: the scale. Chunk c takes tasks c, c + chunks, …
 */
export function attentionBackwardJob(chunk: i32): void {
  const scratch = pointer(4) + <usize>chunk * pointer(5);
  for (let task = chunk; task < int(0); task += chunkCount()) {
    backward(pointer(1) + <usize>task * BACKWARD_TASK_BYTES, scratch);
  }
}

/** Address of operand number `index` of a task: q, k, v, y, dy, dq, dk, dv; and the bytes from one row to the next. */
// @ts-expect-error: decorator
@inline
function operand(task: usize, index: i32): usize {
  return load<usize>(task + (<usize>index << 3));
}

// @ts-expect-error: decorator
@inline
function rowStep(task: usize, index: i32): usize {
  return load<usize>(task + (<usize>index << 3), 4);
}

function backward(task: usize, scratch: usize): void {
  const depth = int(2);
  const causal = int(3) != 0;
  const scoreRow = pointer(6) << 2;
  const scale = float(0);
  const length = load<i32>(task, BACKWARD_TASK_LENGTH);
  const depthPanels = (depth + 7) >> 3;
  const depthBytes = <usize>depth << 2;
  const widthBytes = <usize>depthPanels << 5;
  // Kᵀ and Vᵀ as panels of 8 keys, K as panels of 8 of its columns: the right operands of products with queries.
  const keyColumns = scratch;
  const valueColumns = keyColumns + scoreRow * <usize>depth;
  const keyRows = valueColumns + scoreRow * <usize>depth;
  // Of a block: q and dy as tiles of 4 queries, and as panels; p and ds by rows, by tiles of 4 queries, and of 4 keys.
  const queryTiles = keyRows + (scoreRow >> 2) * widthBytes;
  const gradientTiles = queryTiles + BACKWARD_QUERIES * depthBytes;
  const queryRows = gradientTiles + BACKWARD_QUERIES * depthBytes;
  const gradientRows = queryRows + BACKWARD_QUERIES * widthBytes;
  const scores = gradientRows + BACKWARD_QUERIES * widthBytes;
  const slopes = scores + BACKWARD_QUERIES * scoreRow;
  const slopeTiles = slopes + BACKWARD_QUERIES * scoreRow;
  const slopeKeys = slopeTiles + BACKWARD_QUERIES * scoreRow;
  const scoreKeys = slopeKeys + BACKWARD_QUERIES * scoreRow;
  const k = operand(task, 1);
  const kStep = rowStep(task, 1);
  packKeys(k, kStep, length, depth, keyColumns);
  packKeys(operand(task, 2), rowStep(task, 2), length, depth, valueColumns);
  packPanels(k, kStep, length, depth, keyRows);
  multiply(keyRows, <usize>length * widthBytes, scale);

  for (let first = 0; first < length; first += BACKWARD_QUERIES) {
    const queries = min(BACKWARD_QUERIES, length - first);
    const tiles = (queries + 3) >> 2;
    const keys = causal ? first + queries : length;
    const keyPanels = (keys + 7) >> 3;
    const q = operand(task, 0) + <usize>first * rowStep(task, 0);
    const dy = operand(task, 4) + <usize>first * rowStep(task, 4);
    packTiles(q, rowStep(task, 0), queries, depth, queryTiles);
    packTiles(dy, rowStep(task, 4), queries, depth, gradientTiles);
    packPanels(q, rowStep(task, 0), queries, depth, queryRows);
    packPanels(dy, rowStep(task, 4), queries, depth, gradientRows);
    multiply(queryTiles, <usize>tiles * (depthBytes << 2), scale);
    multiply(queryRows, <usize>queries * widthBytes, scale);

    // scale·q·kᵀ and dy·vᵀ; of what a tile's last query does not see nothing is computed.
    for (let panel = 0; panel < keyPanels; panel++) {
      const at = <usize>panel * (depthBytes << 3);
      for (let t = causal ? max(0, ((panel << 3) - first) >> 2) : 0; t < tiles; t++) {
        const from = <usize>t * (depthBytes << 2);
        const to = <usize>(t << 2) * scoreRow + (<usize>panel << 5);
        const rows = min(4, queries - (t << 2));
        tile(queryTiles + from, keyColumns + at, depth, scores + to, scoreRow, rows, 8, 0, 0);
        tile(gradientTiles + from, valueColumns + at, depth, slopes + to, scoreRow, rows, 8, 0, 0);
      }
    }
    for (let i = 0; i < queries; i++) {
      const y = operand(task, 3) + <usize>(first + i) * rowStep(task, 3);
      const at = <usize>i * scoreRow;
      const seen = causal ? first + i + 1 : length;
      const delta = sumOfProducts(dy + <usize>i * rowStep(task, 4), y, depth);
      const column = <usize>i << 4;
      slopesOf(scores + at, slopes + at, seen, keyPanels << 1, <f32>delta, scoreKeys + column, slopeKeys + column);
    }

    const dq = operand(task, 5);
    const dqStep = rowStep(task, 5);
    for (let t = 0; t < tiles; t++) {
      const row = first + (t << 2);
      const rows = min(4, length - row);
      const seen = causal ? row + rows : length;
      const from = slopes + <usize>(t << 2) * scoreRow;
      if (rows == 4) packFourRows(from, slopeTiles, seen, scoreRow);
      else packTile(from, slopeTiles, seen, rows, scoreRow, 4);
      for (let panel = 0; panel < depthPanels; panel++) {
        const to = dq + <usize>row * dqStep + (<usize>panel << 5);
        const columns = min(8, depth - (panel << 3));
        tile(slopeTiles, keyRows + (<usize>(panel * length) << 5), seen, to, dqStep, rows, columns, 0, 0);
      }
    }

    // dk += dsᵀ·scale·q and dv += pᵀ·dy, over the queries that see a tile's first key.
    for (let key = 0; key < keys; key += 4) {
      const rows = min(4, length - key);
      const skipped = causal ? max(0, key - first) : 0;
      const mode = (causal ? key < first : first > 0) ? MODE_ADD : 0;
      const from = <usize>((key >> 2) * BACKWARD_QUERIES + skipped) << 4;
      for (let panel = 0; panel < depthPanels; panel++) {
        const columns = min(8, depth - (panel << 3));
        const at = <usize>(panel * queries + skipped) << 5;
        const dk = operand(task, 6) + <usize>key * rowStep(task, 6) + (<usize>panel << 5);
        const dv = operand(task, 7) + <usize>key * rowStep(task, 7) + (<usize>panel << 5);
        tile(slopeKeys + from, queryRows + at, queries - skipped, dk, rowStep(task, 6), rows, columns, 0, mode);
        tile(scoreKeys + from, gradientRows + at, queries - skipped, dv, rowStep(task, 7), rows, columns, 0, mode);
      }
    }
  }
}

/**
 * p = softmax of a row of scores and ds = p·(dp − delta), in place of dp; 0 past those `seen`. `vectors`: of four, of a row. Both also as
 * columns: vectors of four, BACKWARD_QUERIES of them apart.
 */
function slopesOf(p: usize, ds: usize, seen: i32, vectors: i32, delta: f32, pColumn: usize, dsColumn: usize): void {
  const share = f32x4.splat(<f32>(1 / exponentials(p, seen)));
  const deltas = f32x4.splat(delta);
  for (let vector = 0; vector < vectors; vector++, p += 16, ds += 16) {
    let probability = f32x4.mul(v128.load(p), share);
    let slope = f32x4.mul(probability, f32x4.sub(v128.load(ds), deltas));
    const left = seen - (vector << 2);
    if (left < 4) {
      const isSeen = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(left));
      probability = v128.and(probability, isSeen);
      slope = v128.and(slope, isSeen);
    }
    v128.store(ds, slope);
    v128.store(pColumn, probability);
    v128.store(dsColumn, slope);
    pColumn += BACKWARD_QUERIES << 4;
    dsColumn += BACKWARD_QUERIES << 4;
  }
}

/** Rows as panels of 8 of them, missing ones zero: [rows / 8][depth][8]. */
function packKeys(source: usize, step: usize, rows: i32, depth: i32, target: usize): void {
  for (; rows >= 8; rows -= 8, source += step << 3, target += <usize>depth << 5) packColumns(source, target, depth, step);
  if (rows > 0) packAny(source, target, depth, rows, 4, step);
}

/** Rows as panels of 8 columns, missing ones zero: [depth / 8][rows][8]. */
function packPanels(source: usize, step: usize, rows: i32, depth: i32, target: usize): void {
  const whole = depth >> 3;
  packRows(source, target, rows, step, whole);
  const rest = depth & 7;
  if (rest) packAny(source + (<usize>whole << 5), target + (<usize>(whole * rows) << 5), rows, rest, step, 4);
}

/** Rows as tiles of 4 of them, missing ones zero: [rows / 4][depth][4]. */
function packTiles(source: usize, step: usize, rows: i32, depth: i32, target: usize): void {
  for (; rows >= 4; rows -= 4, source += step << 2, target += <usize>depth << 4) packFourRows(source, target, depth, step);
  if (rows > 0) packTile(source, target, depth, rows, step, 4);
}

/** Multiplies all floats of some vectors of four. */
function multiply(at: usize, bytes: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  for (const end = at + bytes; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), factors));
}
