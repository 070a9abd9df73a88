import { BLOCK, PANEL_ROW, TILE_ROWS } from "../abi.ts";
import type { Job, WasmRuntime } from "../runtime.ts";
import { blocksOf, CHUNK_ELEMENTS, type Product, vectorChunks } from "./product.ts";

/** Temporary memory for A [rows, columns] in tiles. */
export function roomForTiles(runtime: WasmRuntime, rows: number, columns: number): number {
  return runtime.scratch(Math.ceil(rows / TILE_ROWS) * TILE_ROWS * columns * 4);
}

/**
 * A product whose sums are of floats.
 *
 * @param vectorJob of one row
 * @param decodes whether panels become floats as they are read, a block of rows at a time
 */
export function multiplyFloats(runtime: WasmRuntime, product: Product, vectorJob: Job, decodes: boolean): void {
  const { a, panels, columns, result, bias, mode, room: tiles } = product;
  const k = a.columns;
  if (a.rows === 1) {
    let row = a.pointer;
    if (a.columnStride !== 1 && k > 1) {
      row = tiles;
      runtime.run("copyJob", 1, [a.pointer, row, 4, 1, k, a.columnStride, 1]);
    }
    runtime.run(vectorJob, vectorChunks(runtime, k, columns), [row, panels, result, columns, k, bias, mode]);
    return;
  }
  const tileCount = Math.ceil(a.rows / TILE_ROWS);
  const packChunks = Math.min(tileCount, runtime.chunks(a.rows * k, CHUNK_ELEMENTS));
  runtime.run("packTilesJob", packChunks, [a.pointer, tiles, a.rows, k, a.rowStride, a.columnStride]);
  const { rowBlocks, columnBlocks } = blocksOf(runtime, product, tileCount);
  const chunks = rowBlocks * columnBlocks;
  const decoded = decodes ? runtime.scratch(chunks * BLOCK * PANEL_ROW) : 0;
  runtime.run("matmulJob", chunks, [tiles, panels, result, a.rows, columns, k, bias, mode, rowBlocks, decoded]);
}
