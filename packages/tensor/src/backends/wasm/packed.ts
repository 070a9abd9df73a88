import { contiguousStrides } from "../../shape.ts";
import { INT8_GROUP, type MatrixEncoding } from "../backend.ts";
import type { WasmBackend } from "./backend.ts";
import { type Panels, panelBytes, panelCount, panelWidth } from "./panels.ts";
import type { WasmRuntime } from "./runtime.ts";
import { WasmStorage, type WasmView } from "./storage.ts";

/** Elements that are worth a chunk of their own when packing. */
const PACK_CHUNK = 65_536;
/** Elements that exist as panels of floats at once while they are encoded: they stay in the second-level cache. */
const ENCODED_AT_ONCE = 2 ** 18;

/** Memory for a packed matrix [rows, columns]. */
export function emptyPacked(
  backend: WasmBackend,
  [rows, columns]: readonly [number, number],
  encoding: MatrixEncoding,
): WasmView<"float32"> {
  const panels = { rows, columns, encoding, bytes: encoding === "int8" && backend.runtime.byteProducts };
  const storage = new WasmStorage(backend, backend.runtime.memory, "float32", rows * columns, panels);
  return { storage, dtype: "float32", shape: [rows, columns], strides: contiguousStrides([rows, columns]), offset: 0 };
}

/** Packs a strided matrix [rows, n] as the columns from `first` (a multiple of the panels' width) on of `target`. */
export function packInto(runtime: WasmRuntime, target: WasmStorage, first: number, matrix: WasmView<"float32">): void {
  const panels = target.panels!;
  const [rows, columns] = matrix.shape as [number, number];
  const source = runtime.pointer(matrix);
  const panelStep = panelBytes(panels);
  const to = target.pointer + (first / panelWidth) * panelStep;
  if (panels.encoding === "f32") {
    packPanelsAt(runtime, source, matrix.shape, matrix.strides, to);
    return;
  }
  const atOnce = Math.max(1, Math.floor(ENCODED_AT_ONCE / (rows * panelWidth)));
  const floats = runtime.scratch(Math.min(atOnce, panelCount(columns)) * rows * panelWidth * 4);
  for (let panel = 0; panel * panelWidth < columns; panel += atOnce) {
    const column = panel * panelWidth;
    const shape = [rows, Math.min(atOnce * panelWidth, columns - column)];
    packPanelsAt(runtime, source + column * matrix.strides[1]! * 4, shape, matrix.strides, floats);
    encode(runtime, panels, floats, to + panel * panelStep, panelCount(shape[1]!));
  }
}

/** Encodes `count` panels of floats as panels of `panels`. */
function encode(runtime: WasmRuntime, panels: Panels, floats: number, target: number, count: number): void {
  const { rows, encoding, bytes } = panels;
  const chunks = runtime.chunks(rows * count * panelWidth, PACK_CHUNK);
  if (encoding === "bf16") runtime.run("encodeBf16Job", chunks, [floats, target, rows * count]);
  else runtime.run("encodeInt8Job", Math.min(count, chunks), [floats, target, rows, count, INT8_GROUP, Number(bytes)]);
}

/** Packs integers [rows, n] and their scales [groups, n], both strided, as the columns from `first` on of `target`. */
export function packIntegersInto(
  runtime: WasmRuntime,
  target: WasmStorage,
  first: number,
  integers: WasmView<"uint8">,
  scales: WasmView<"float32">,
): void {
  const panels = target.panels!;
  const [rows, columns] = integers.shape as [number, number];
  const to = target.pointer + (first / panelWidth) * panelBytes(panels);
  const chunks = Math.min(panelCount(columns), runtime.chunks(rows * columns, PACK_CHUNK));
  runtime.run("packInt8Job", chunks, [
    ...[runtime.pointer(integers), to, rows, columns, integers.strides[0]!, integers.strides[1]!],
    ...[runtime.pointer(scales), 4 * scales.strides[0]!, 4 * scales.strides[1]!, INT8_GROUP, Number(panels.bytes)],
  ]);
}

/** Panels of floats at a temporary address: those of a packed matrix, whatever its encoding. */
function floatPanels(runtime: WasmRuntime, { pointer, panels }: WasmStorage): number {
  const { rows, columns, encoding, bytes } = panels!;
  if (encoding === "f32") return pointer;
  const count = panelCount(columns);
  const floats = runtime.scratch(rows * count * panelWidth * 4);
  const chunks = runtime.chunks(rows * count * panelWidth, PACK_CHUNK);
  if (encoding === "bf16") runtime.run("decodeBf16Job", chunks, [pointer, floats, rows * count]);
  else runtime.run("decodeInt8Job", Math.min(count, chunks), [pointer, floats, rows, count, INT8_GROUP, Number(bytes)]);
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
  const chunks = Math.min(panelCount(columns), runtime.chunks(rows * columns, PACK_CHUNK));
  runtime.run("packPanelsJob", chunks, [source, target, rows, columns, strides[0]!, strides[1]!]);
}

/** Copies a packed matrix's elements in logical order, row-major, into `target`. */
export function unpackMatrix(runtime: WasmRuntime, storage: WasmStorage, target: Float32Array): void {
  const { rows, columns } = storage.panels!;
  const block = runtime.memory.allocate(storage.length * 4);
  try {
    const chunks = Math.min(rows, runtime.chunks(rows * columns, PACK_CHUNK));
    runtime.run("unpackPanelsJob", chunks, [floatPanels(runtime, storage), block.pointer, rows, columns]);
    target.set(new Float32Array(runtime.memory.buffer, block.pointer, storage.length));
  } finally {
    runtime.memory.release(block);
  }
}
