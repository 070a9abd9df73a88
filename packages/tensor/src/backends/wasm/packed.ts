import { contiguousStrides } from "../../shape.ts";
import type { Backend } from "../backend.ts";
import { PANEL_ROW, PANEL_WIDTH } from "./abi.ts";
import type { WasmEncoding } from "./encodings/encoding.ts";
import { packChunks, panelCount } from "./panels.ts";
import type { WasmRuntime } from "./runtime.ts";
import { WasmStorage, type WasmView } from "./storage.ts";

/** Elements that exist as panels of floats at once while they are encoded: they stay in the second-level cache. */
const ENCODED_AT_ONCE = 2 ** 18;

/** Memory for a packed matrix [rows, columns]. */
export function emptyPacked(
  backend: Backend,
  runtime: WasmRuntime,
  [rows, columns]: readonly [number, number],
  encoding: WasmEncoding,
): WasmView<"float32"> {
  const storage = new WasmStorage(backend, runtime.memory, "float32", rows * columns, { rows, columns, encoding });
  return { storage, dtype: "float32", shape: [rows, columns], strides: contiguousStrides([rows, columns]), offset: 0 };
}

/** Packs a strided matrix [rows, n] as the columns from `first` (a multiple of the panels' width) on of `target`. */
export function packInto(runtime: WasmRuntime, target: WasmStorage, first: number, matrix: WasmView<"float32">): void {
  const { encoding } = target.packed!;
  const { conversion } = encoding;
  const [rows, columns] = matrix.shape as [number, number];
  const source = runtime.pointer(matrix);
  const to = addressOf(target, first);
  if (!conversion) {
    packPanelsAt(runtime, source, matrix.shape, matrix.strides, to);
    return;
  }
  const panelStep = encoding.panelBytes(rows);
  const atOnce = Math.max(1, Math.floor(ENCODED_AT_ONCE / (rows * PANEL_WIDTH)));
  const floats = runtime.scratch(Math.min(atOnce, panelCount(columns)) * rows * PANEL_ROW);
  for (let panel = 0; panel * PANEL_WIDTH < columns; panel += atOnce) {
    const column = panel * PANEL_WIDTH;
    const shape = [rows, Math.min(atOnce * PANEL_WIDTH, columns - column)];
    packPanelsAt(runtime, source + column * matrix.strides[1]! * 4, shape, matrix.strides, floats);
    conversion.encode(runtime, floats, to + panel * panelStep, rows, panelCount(shape[1]!));
  }
}

/** Address of the panel of a packed matrix that begins with a column. */
export function addressOf({ packed, pointer }: WasmStorage, column: number): number {
  const { rows, encoding } = packed!;
  return pointer + (column / PANEL_WIDTH) * encoding.panelBytes(rows);
}

/** Panels of floats: those of a packed matrix, or at a temporary address what they decode to. */
function floatPanels(runtime: WasmRuntime, { pointer, packed }: WasmStorage): number {
  const { rows, columns, encoding } = packed!;
  if (!encoding.conversion) return pointer;
  const count = panelCount(columns);
  const floats = runtime.scratch(count * rows * PANEL_ROW);
  encoding.conversion.decode(runtime, pointer, floats, rows, count);
  return floats;
}

/** Writes the panels of a matrix of floats, given by address, shape and strides, to `target`. */
export function packPanelsAt(
  runtime: WasmRuntime,
  source: number,
  shape: readonly number[],
  strides: readonly number[],
  target: number,
): void {
  const [rows, columns] = shape as [number, number];
  const chunks = Math.min(panelCount(columns), packChunks(runtime, rows, columns));
  runtime.run("packPanelsJob", chunks, [source, target, rows, columns, strides[0]!, strides[1]!]);
}

/** Copies a packed matrix's elements in logical order, row-major, into `target`. */
export function unpackMatrix(runtime: WasmRuntime, storage: WasmStorage, target: Float32Array): void {
  const { rows, columns } = storage.packed!;
  const block = runtime.memory.allocate(storage.length * 4);
  try {
    const chunks = Math.min(rows, packChunks(runtime, rows, columns));
    runtime.run("unpackPanelsJob", chunks, [floatPanels(runtime, storage), block.pointer, rows, columns]);
    target.set(new Float32Array(runtime.memory.buffer, block.pointer, storage.length));
  } finally {
    runtime.memory.release(block);
  }
}
