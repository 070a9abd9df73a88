import type { TopKParams } from "../../reference/sort.ts";
import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { rowsOf } from "./rows.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 16_384;
/** Past this many, sorting the whole row is faster than keeping the best in order. */
const MOST_KEPT = 1024;

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

export const sortKernels: WasmKernels = { topK };
