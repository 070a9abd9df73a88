import { contiguousStrides } from "../../shape.ts";
import type { View } from "../backend.ts";
import type { WasmBackend } from "./backend.ts";
import type { WasmRuntime } from "./runtime.ts";
import { WasmStorage, type WasmView } from "./storage.ts";

/** Columns of a panel. kernels/panels.ts states the same number. */
export const panelWidth = 8;
/** Elements that are worth a chunk of their own when packing. */
const PACK_CHUNK = 65_536;

/** Address of panel number `panel` of a packed matrix. */
export function panelPointer(storage: WasmStorage, panel: number): number {
  return storage.pointer + panel * storage.panels!.rows * panelWidth * 4;
}

/** The same matrix in panels, read from any strided view of [rows, columns], both at least 1. */
export function packMatrix(backend: WasmBackend, matrix: WasmView<"float32">): View<"float32"> {
  const [rows, columns] = matrix.shape as [number, number];
  const { runtime } = backend;
  const storage = new WasmStorage(backend, runtime.memory, "float32", rows * columns, { rows, columns });
  packPanels(runtime, matrix, storage.pointer);
  return { storage, dtype: "float32", shape: [rows, columns], strides: contiguousStrides([rows, columns]), offset: 0 };
}

/** Writes the panels of a strided matrix [rows, columns] to `target`. */
export function packPanels(runtime: WasmRuntime, matrix: WasmView, target: number): void {
  packPanelsAt(runtime, runtime.pointer(matrix), matrix.shape, matrix.strides, target);
}

/** As {@link packPanels}, for a matrix given by address, shape and strides. */
export function packPanelsAt(
  runtime: WasmRuntime,
  source: number,
  shape: readonly number[],
  strides: readonly number[],
  target: number,
): void {
  const [rows, columns] = shape as [number, number];
  const panels = Math.ceil(columns / panelWidth);
  const chunks = Math.min(panels, runtime.chunks(rows * columns, PACK_CHUNK));
  runtime.run("packPanelsJob", chunks, [source, target, rows, columns, strides[0]!, strides[1]!]);
}

/** Copies a packed matrix's elements in logical order, row-major, into `target`. */
export function unpackMatrix(runtime: WasmRuntime, storage: WasmStorage, target: Float32Array): void {
  const { rows, columns } = storage.panels!;
  const block = runtime.memory.allocate(storage.length * 4);
  try {
    const chunks = Math.min(rows, runtime.chunks(rows * columns, PACK_CHUNK));
    runtime.run("unpackPanelsJob", chunks, [storage.pointer, block.pointer, rows, columns]);
    target.set(new Float32Array(runtime.memory.buffer, block.pointer, storage.length));
  } finally {
    runtime.memory.release(block);
  }
}
