import { byteSize } from "../../../dtype.ts";
import { sizeOf } from "../../../shape.ts";
import { INT8_GROUP, type MatrixEncoding } from "../../backend.ts";
import type { TopKParams } from "../../reference/sort.ts";
import type { Panels } from "../panels.ts";
import { isPacked, type WasmRuntime } from "../runtime.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { rowsOf } from "./rows.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 16_384;
/** Past this many, sorting the whole row is faster than keeping the best in order. */
const MOST_KEPT = 1024;
/** What a table is: strided floats, or the transpose of a packed matrix. As in kernels/indexing.ts. */
const STRIDED = 0;
const tableKinds: Readonly<Record<MatrixEncoding, number>> = { f32: 1, bf16: 2, int8: 3 };
/** Bytes from one row of a packed matrix of floats to the next. */
const PANEL_ROW = 32;

const embedding: WasmKernel<undefined> = (runtime, [table, ids], _params, [out]) => {
  const [V, C] = table!.shape as readonly [number, number];
  const { panels } = table!.storage;
  const [rowStep, columnStep] = table!.strides as readonly [number, number];
  if (panels && !(table!.offset === 0 && panels.rows === C && panels.columns === V && rowStep === 1)) {
    return "packed matrix other than the table's transpose";
  }
  const count = sizeOf(ids!.shape);
  if (count * C === 0) return undefined;
  const idsAddress = runtime.contiguous(ids!);
  if (!allBelow(runtime, idsAddress, count, V)) return "id out of range";
  const address = panels ? table!.storage.pointer : runtime.pointer(table!);
  const steps = panels ? packedSteps(panels) : [STRIDED, rowStep * 4, columnStep * 4];
  const chunks = Math.min(count, runtime.chunks(count * C, CHUNK));
  runtime.run("embeddingJob", chunks, [address, idsAddress, runtime.pointer(out!), count, C, ...steps]);
  return undefined;
};

const gather: WasmKernel<undefined> = (runtime, [x, indices], _params, [out]) => {
  if (isPacked(x!)) return "packed matrix";
  if (byteSize(x!.dtype) !== 4) return x!.dtype;
  const chosen = sizeOf(indices!.shape);
  if (chosen === 0) return undefined;
  const address = runtime.contiguous(indices!);
  const rows = rowsOf(runtime, x!);
  if (!allBelow(runtime, address, chosen, rows.length)) return "index out of range";
  const chunks = Math.min(rows.count, runtime.chunks(chosen, CHUNK));
  const ints = [rows.address, rows.step, address, runtime.pointer(out!), rows.count, chosen / rows.count];
  runtime.run("gatherJob", chunks, ints);
  return undefined;
};

const topK: WasmKernel<TopKParams> = (runtime, [x], { k }, [values, indices]) => {
  if (isPacked(x!)) return "packed matrix";
  if (k > MOST_KEPT) return `k above ${MOST_KEPT}`;
  if (x!.dtype !== "float32" && x!.dtype !== "int32") return x!.dtype;
  const { address, step, count, length } = rowsOf(runtime, x!);
  if (count * k === 0) return undefined;
  const chunks = Math.min(count, runtime.chunks(count * length, CHUNK));
  const outputs = [runtime.pointer(values!), runtime.pointer(indices!)];
  runtime.run("topKJob", chunks, [address, step, ...outputs, count, length, k, x!.dtype === "float32" ? 1 : 0]);
  return undefined;
};

export const indexingKernels: WasmKernels = { embedding, gather, topK };

/** What the kernel is told of a table that is the transpose of a packed matrix. */
function packedSteps({ encoding, bytes }: Panels): readonly number[] {
  return [tableKinds[encoding], ...(encoding === "int8" ? [INT8_GROUP, Number(bytes)] : [0, PANEL_ROW])];
}

/** Whether these int32 are all in 0..size - 1: kernels read where they point without looking. */
function allBelow(runtime: WasmRuntime, address: number, count: number, size: number): boolean {
  const indices = new Int32Array(runtime.memory.buffer, address, count);
  for (let i = 0; i < count; i++) {
    if (indices[i]! < 0 || indices[i]! >= size) return false;
  }
  return true;
}
