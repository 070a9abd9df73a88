import { PANEL_WIDTH } from "./abi.ts";
import type { WasmRuntime } from "./runtime.ts";

// A packed matrix lies in memory as panels of PANEL_WIDTH columns, each as its encoding has it; the last is padded with zeros.

/** Elements that are worth a chunk of their own when packing. */
const PACK_CHUNK = 65_536;

/** Panels of a matrix of so many columns. */
export function panelCount(columns: number): number {
  return Math.ceil(columns / PANEL_WIDTH);
}

/** Chunks for packing or unpacking a matrix. */
export function packChunks(runtime: WasmRuntime, rows: number, columns: number): number {
  return runtime.chunks(rows * columns, PACK_CHUNK);
}
