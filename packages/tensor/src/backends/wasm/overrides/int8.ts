import { INT8_GROUP } from "../../backend.ts";
import { panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";
import type { Matrix, Product } from "./matmul.ts";
import { vectorChunks } from "./vector.ts";

/** Rows of a tile. */
const tileRows = 4;
/** Tiles of A of which BLOCK_ROWS columns stay in the second-level cache while panels of B pass by: 192 KiB. */
const tilesPerRowBlock = 32;
/** Multiplications worth a chunk of their own (some 20 µs), and elements worth one when only memory is moved. */
const CHUNK_PRODUCTS = 2 ** 19;
const CHUNK_ELEMENTS = 32_768;
/** Room of a chunk, as kernels/int8-tile.ts divides it: BLOCK_ROWS rows of a panel as words, and totals of tiles. */
const WORDS_BYTES = 768 * 8 * 2;
const TOTALS_BYTES = 128;
const PANELS = 8;

/** How a left operand [rows, columns] lies when it is quantized: see kernels/int8-activations.ts. */
function quantizedLayout(rows: number, columns: number) {
  const perTile = rows === 1 ? 1 : tileRows;
  const padded = Math.ceil(rows / perTile) * perTile;
  const integerBytes = padded * Math.ceil(columns / 4) * 8;
  return { perTile, tiles: padded / perTile, integerBytes, scaleBytes: padded * Math.ceil(columns / INT8_GROUP) * 4 };
}

/** Bytes of a left operand [rows, columns] when it is quantized. */
export function quantizedBytes(rows: number, columns: number): number {
  const { integerBytes, scaleBytes } = quantizedLayout(rows, columns);
  return integerBytes + scaleBytes;
}

/** Result [M, N] = A [M, K] · B [K, N] of 8-bit integers, all sizes at least 1. */
export function multiplyInt8(runtime: WasmRuntime, { a, b, columns, result, bias, mode, room }: Product): void {
  const { rows, columns: k } = a;
  const { perTile, tiles, integerBytes } = quantizedLayout(rows, k);
  const bytes = Number(b.bytes);
  const scales = room + integerBytes;
  const { pointer, rowStride } = withoutGaps(runtime, a);
  const quantizing = Math.min(tiles, runtime.chunks(rows * k, CHUNK_ELEMENTS));
  runtime.run("quantizeRowsJob", quantizing, [
    ...[pointer, rowStride * 4, rows, k, perTile, room, scales, INT8_GROUP, bytes],
  ]);
  if (rows === 1) {
    const ints = [room, scales, b.pointer, result, columns, k, bias, mode, INT8_GROUP, bytes];
    runtime.run("int8VectorJob", vectorChunks(runtime, k, columns), ints);
    return;
  }
  const rowBlocks = Math.ceil(tiles / tilesPerRowBlock);
  const chunks = runtime.chunks(rows * k * columns, CHUNK_PRODUCTS, 12);
  const columnBlocks = Math.min(panelCount(columns), Math.ceil(chunks / rowBlocks));
  const chunkBytes = WORDS_BYTES + PANELS * Math.ceil(tiles / rowBlocks) * TOTALS_BYTES;
  const chunkRoom = runtime.scratch(rowBlocks * columnBlocks * chunkBytes);
  const product = [room, scales, b.pointer, result, rows, columns, k, bias, mode];
  const ints = [...product, INT8_GROUP, rowBlocks, chunkRoom, chunkBytes, bytes];
  runtime.run("int8MatmulJob", rowBlocks * columnBlocks, ints);
}

/** A, or a temporary copy of it, whose rows have no gaps between their elements. */
function withoutGaps(runtime: WasmRuntime, a: Matrix): Pick<Matrix, "pointer" | "rowStride"> {
  if (a.columnStride === 1 || a.columns === 1) return a;
  const copy = runtime.scratch(a.rows * a.columns * 4);
  runtime.run("copyJob", 1, [a.pointer, copy, 4, 2, a.rows, a.rowStride, a.columns, a.columns, a.columnStride, 1]);
  return { pointer: copy, rowStride: a.columns };
}
