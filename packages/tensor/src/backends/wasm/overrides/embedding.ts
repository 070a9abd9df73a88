import { sizeOf } from "../../../shape.ts";
import { TABLE_STRIDED } from "../abi.ts";
import { allBelow } from "./indices.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 16_384;

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

export const embeddingKernels: WasmKernels = { embedding };
