import { byteSize } from "../../../dtype.ts";
import { sizeOf } from "../../../shape.ts";
import type { TopKParams } from "../../reference/sort.ts";
import { TABLE_STRIDED } from "../abi.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { rowsOf } from "./rows.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 16_384;
/** Past this many, sorting the whole row is faster than keeping the best in order. */
const MOST_KEPT = 1024;
const embedding: WasmKernel<undefined> = (runtime, [table, ids], _params, [out]) => {
  const [V, C] = table!.shape as readonly [number, number];
  const { packed } = table!.storage;
  const [rowStep, columnStep] = table!.strides as readonly [number, number];
  if (packed && !(table!.offset === 0 && packed.rows === C && packed.columns === V && rowStep === 1)) {
    return "packed matrix other than the table's transpose";
  }
  const count = sizeOf(ids!.shape);
  if (count * C === 0) return undefined;
  const idsAddress = runtime.contiguous(ids!);
  if (!allBelow(runtime, idsAddress, count, V)) return "id out of range";
  const address = packed ? table!.storage.pointer : runtime.pointer(table!);
  const steps = packed ? packed.encoding.table : [TABLE_STRIDED, rowStep * 4, columnStep * 4];
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

/** Whether these int32 are all in 0..size - 1: kernels read where they point without looking. */
function allBelow(runtime: WasmRuntime, address: number, count: number, size: number): boolean {
  const indices = new Int32Array(runtime.memory.buffer, address, count);
  for (let i = 0; i < count; i++) {
    if (indices[i]! < 0 || indices[i]! >= size) return false;
  }
  return true;
}
