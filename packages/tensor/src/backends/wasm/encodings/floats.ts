import { BLOCK, FEW_ROWS_PANELS, MODE_ADD, PANEL_ROW, STREAMS, TILE_ROWS, WIDE_PANELS } from "../abi.ts";
import type { Job, WasmRuntime } from "../runtime.ts";
import { blocksOf, CHUNK_ELEMENTS, type Product, vectorChunks, withoutGaps } from "./product.ts";

/** Up to so many tiles of A a matrix is best read as few-rows.ts does it: with 4 rows in half the time, with 32 a tenth faster. */
const FEW_TILES = 8;

/** Temporary memory for A [rows, columns] in tiles. */
export function roomForTiles(runtime: WasmRuntime, rows: number, columns: number): number {
  return runtime.scratch(Math.ceil(rows / TILE_ROWS) * TILE_ROWS * columns * 4);
}

/** Chunks per thread at most of a product of more rows, all alike, so that threads finish together. */
const MOST_CHUNKS = 12;

/** How panels of an encoding are multiplied by. */
interface FloatKernels {
  readonly oneRow: Job;
  readonly twoRows: Job;
  readonly fewRows: Job;
  /** Whether the kernel for more rows makes floats of panels first, a block of rows at a time. */
  readonly decodes: boolean;
}

/** A product whose sums are of floats. */
export function multiplyFloats(runtime: WasmRuntime, product: Product, kernels: FloatKernels): void {
  const { a, panels, columns, result, bias, mode, room: tiles } = product;
  const k = a.columns;
  if (a.rows <= 2 && !(mode & MODE_ADD) && product.resultStep === undefined) {
    const { pointer, rowStride } = withoutGaps(runtime, a);
    const job = a.rows === 1 ? kernels.oneRow : kernels.twoRows;
    const ints = [pointer, panels, result, columns, k, bias, mode, rowStride];
    runtime.run(job, vectorChunks(runtime, k, columns), ints);
    return;
  }
  const tileCount = Math.ceil(a.rows / TILE_ROWS);
  const packChunks = Math.min(tileCount, runtime.chunks(a.rows * k, CHUNK_ELEMENTS));
  runtime.run("packTilesJob", packChunks, [a.pointer, tiles, a.rows, k, a.rowStride, a.columnStride]);
  if (tileCount <= FEW_TILES && !(mode & MODE_ADD) && product.resultStep === undefined) {
    const chunks = vectorChunks(runtime, k, columns);
    const room = runtime.scratch(chunks * (1 + FEW_ROWS_PANELS) * STREAMS * tileCount * TILE_ROWS * PANEL_ROW);
    const ints = [tiles, panels, result, columns, k, bias, mode, a.rows, room];
    runtime.run(kernels.fewRows, chunks, ints);
    return;
  }
  const { rowBlocks, columnBlocks } = blocksOf(runtime, product, tileCount, MOST_CHUNKS);
  const chunks = rowBlocks * columnBlocks;
  const together = runtime.relaxedSimd ? WIDE_PANELS : 1;
  const decoded = kernels.decodes ? runtime.scratch(chunks * together * BLOCK * PANEL_ROW) : 0;
  const ints = [
    tiles,
    panels,
    result,
    a.rows,
    columns,
    k,
    bias,
    mode,
    rowBlocks,
    decoded,
    product.resultStep ?? columns * 4,
    together,
  ];
  runtime.run("matmulJob", chunks, ints);
}
