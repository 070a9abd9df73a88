import type { CategoricalParams } from "../../reference/categorical.ts";
import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { rowsOf } from "./rows.ts";

const categorical: WasmKernel<CategoricalParams> = (runtime, [logits], { temperatures, uniforms }, [ids]) => {
  if (isPacked(logits!)) return "packed matrix";
  const { address, step, count, length } = rowsOf(runtime, logits!);
  if (count === 0) return undefined;
  if (length === 0) return "nothing to draw from";
  const doubles = uniforms.flatMap((uniform, row) => [temperatures[row]!, uniform]);
  const numbers = runtime.scratch(doubles.length * 8);
  const chunks = Math.min(count, runtime.threads);
  const weights = runtime.scratch(chunks * length * 8);
  new Float64Array(runtime.memory.buffer, numbers, doubles.length).set(doubles);
  runtime.run("categoricalJob", chunks, [address, step, numbers, weights, runtime.pointer(ids!), count, length]);
  return undefined;
};

export const categoricalKernels: WasmKernels = { categorical };
