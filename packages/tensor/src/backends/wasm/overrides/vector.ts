import { panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";

/** Elements of a matrix that are worth a chunk of their own when one row is multiplied with it. */
const CHUNK = 65_536;
/** Panels that kernels/streams.ts reads at once. */
const STREAMS = 4;

/** Chunks of a product of one row with a packed matrix [rows, columns]. */
export function vectorChunks(runtime: WasmRuntime, rows: number, columns: number): number {
  return Math.min(Math.ceil(panelCount(columns) / STREAMS), runtime.chunks(rows * columns, CHUNK, 32));
}
