import type { LayerNormParams } from "../../reference/normalize.ts";
import type { Job } from "../runtime.ts";
import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { rowsOf } from "./rows.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 8192;

const layerNorm: WasmKernel<LayerNormParams> = (runtime, [x, weight, bias], { epsilon }, [out]) => {
  if ([x!, weight!, bias!].some(isPacked)) return "packed matrix";
  const operands = [runtime.contiguous(weight!), runtime.contiguous(bias!)];
  const { address, step, count, length } = rowsOf(runtime, x!);
  if (count * length === 0) return undefined;
  const chunks = Math.min(count, runtime.chunks(count * length, CHUNK));
  runtime.run("layerNormJob", chunks, [address, step, runtime.pointer(out!), count, length, ...operands], [epsilon]);
  return undefined;
};

export const normalizeKernels: WasmKernels = {
  layerNorm,
  softmax: alongRows("softmaxJob"),
  logSoftmax: alongRows("logSoftmaxJob"),
  cumsum: alongRows("cumsumJob"),
};

/** An op that turns each row of the last axis into another. */
function alongRows(job: Job): WasmKernel<undefined> {
  return (runtime, [x], _params, [out]) => {
    if (isPacked(x!)) return "packed matrix";
    if (x!.dtype !== "float32") return x!.dtype;
    const { address, step, count, length } = rowsOf(runtime, x!);
    if (count * length === 0) return undefined;
    const chunks = Math.min(count, runtime.chunks(count * length, CHUNK));
    runtime.run(job, chunks, [address, step, runtime.pointer(out!), count, length]);
    return undefined;
  };
}
