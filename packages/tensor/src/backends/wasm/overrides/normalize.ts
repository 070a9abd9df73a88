import type { LayerNormParams } from "../../reference/normalize.ts";
import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { ROW_CHUNK, rowsOf } from "./rows.ts";

const layerNorm: WasmKernel<LayerNormParams> = (runtime, [x, weight, bias], { epsilon }, [out]) => {
  if ([x!, weight!, bias!].some(isPacked)) return "packed matrix";
  const operands = [runtime.contiguous(weight!), runtime.contiguous(bias!)];
  const { address, step, count, length } = rowsOf(runtime, x!);
  if (count * length === 0) return undefined;
  const chunks = Math.min(count, runtime.chunks(count * length, ROW_CHUNK));
  runtime.run("layerNormJob", chunks, [address, step, runtime.pointer(out!), count, length, ...operands], [epsilon]);
  return undefined;
};

export const normalizeKernels: WasmKernels = { layerNorm };
