import { INT8_GROUP } from "../../backend.ts";
import { panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";
import type { Matrix, Product } from "./matmul.ts";
import { vectorChunks } from "./vector.ts";

/** Rows of a tile. */
const tileRows = 4;
/** Bytes of a quantized A that stay in the second-level cache while panels of B pass by. */
const ROW_BLOCK_BYTES = 192 * 1024;
/** Multiplications worth a chunk of their own (some 20 µs), and elements worth one when only memory is moved. */
const CHUNK_PRODUCTS = 2 ** 19;
const CHUNK_ELEMENTS = 32_768;
/** Bytes of a tile's sums. */
const TOTALS = 128;

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
  const rowBlocks = Math.min(tiles, Math.ceil(integerBytes / ROW_BLOCK_BYTES));
  const chunks = runtime.chunks(rows * k * columns, CHUNK_PRODUCTS, 12);
  const columnBlocks = Math.min(panelCount(columns), Math.ceil(chunks / rowBlocks));
  const totals = runtime.scratch(rowBlocks * columnBlocks * TOTALS);
  const ints = [room, scales, b.pointer, result, rows, columns, k, bias, mode, INT8_GROUP, rowBlocks, totals, bytes];
  runtime.run("int8MatmulJob", rowBlocks * columnBlocks, ints);
}

/** A, or a temporary copy of it, whose rows have no gaps between their elements. */
function withoutGaps(runtime: WasmRuntime, a: Matrix): Pick<Matrix, "pointer" | "rowStride"> {
  if (a.columnStride === 1 || a.columns === 1) return a;
  const copy = runtime.scratch(a.rows * a.columns * 4);
  runtime.run("copyJob", 1, [a.pointer, copy, 4, 2, a.rows, a.rowStride, a.columns, a.columns, a.columnStride, 1]);
  return { pointer: copy, rowStride: a.columns };
}
