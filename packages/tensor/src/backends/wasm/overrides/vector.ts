import { panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";

/** Elements of a matrix, on average, of a chunk of the product with one row. */
const CHUNK = 131_072;
/** Chunks per thread at most: the last ones are the smallest (kernels/streams.ts), so more would not end sooner. */
const MOST_CHUNKS = 16;
/** Panels that kernels/streams.ts reads at once. */
const STREAMS = 4;

/** Chunks of a product of one row with a packed matrix [rows, columns]. */
export function vectorChunks(runtime: WasmRuntime, rows: number, columns: number): number {
  return Math.min(Math.ceil(panelCount(columns) / STREAMS), runtime.chunks(rows * columns, CHUNK, MOST_CHUNKS));
}
