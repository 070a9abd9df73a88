import { STREAMS } from "../abi.ts";
import { panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";

/** A matrix by address, size and strides in elements. */
export interface Matrix {
  readonly pointer: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** result [M, N] = a [M, K] · b [K, N] (+ bias) (then GELU), for a b that is packed; floats may be added to the result. */
export interface Product {
  readonly a: Matrix;
  /** Address of the panels of b. */
  readonly panels: number;
  readonly columns: number;
  readonly result: number;
  /** Bytes from a row of the result to the next, if it is floats that are multiplied. Default: rows touch. */
  readonly resultStep?: number;
  readonly bias: number;
  readonly mode: number;
  /** Room for a as the kernels read it, from `roomForRows` of the encoding. */
  readonly room: number;
}

/** Elements worth a chunk of their own where a left operand is only rearranged. */
export const CHUNK_ELEMENTS = 32_768;
/** Multiplications worth a chunk of their own (some 20 µs). */
const CHUNK_PRODUCTS = 2 ** 19;
/**
 * Tiles of A that stay in the second-level cache while panels of B pass by: 128 rows × 256 terms of floats are 128 KiB, × 768
 * terms of 16-bit integers 192 KiB, × all terms of bytes, 3,072 in GPT-2 small, 384 KiB.
 */
const TILES_PER_ROW_BLOCK = 32;
/** Elements of a matrix, on average, of a chunk of the product with one row. */
const VECTOR_CHUNK = 131_072;
/**
 * Chunks per thread at most where the last ones are the smallest, so that more would not end sooner. Each begins with streams that the
 * processor has to find before it fetches them ahead: with 8-bit integers 16 a thread took a fifth longer, with 8 rows 12 did.
 */
export const MOST_STREAM_CHUNKS = 4;

/** Chunks of a product of one row with a packed matrix [rows, columns]. */
export function vectorChunks(runtime: WasmRuntime, rows: number, columns: number): number {
  const most = Math.ceil(panelCount(columns) / STREAMS);
  return Math.min(most, runtime.chunks(rows * columns, VECTOR_CHUNK, MOST_STREAM_CHUNKS));
}

/**
 * Into how many blocks of rows and of columns the result of a product is split, for A of so many tiles.
 *
 * @param most chunks per thread
 */
export function blocksOf(runtime: WasmRuntime, { a, columns }: Product, tiles: number, most: number) {
  const rowBlocks = Math.ceil(tiles / TILES_PER_ROW_BLOCK);
  const chunks = runtime.chunks(a.rows * a.columns * columns, CHUNK_PRODUCTS, most);
  return { rowBlocks, columnBlocks: Math.min(panelCount(columns), Math.ceil(chunks / rowBlocks)) };
}

/** A, or a temporary copy of it, whose rows have no gaps between their elements. */
export function withoutGaps(runtime: WasmRuntime, a: Matrix): Pick<Matrix, "pointer" | "rowStride"> {
  if (a.columnStride === 1 || a.columns === 1) return a;
  const copy = runtime.scratch(a.rows * a.columns * 4);
  runtime.run("copyJob", 1, [a.pointer, copy, 4, 2, a.rows, a.rowStride, a.columns, a.columns, a.columnStride, 1]);
  return { pointer: copy, rowStride: a.columns };
}
