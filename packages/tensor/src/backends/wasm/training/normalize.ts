import type { LayerNormParams } from "../../reference/normalize.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { ROW_CHUNK, rowsOf } from "../overrides/rows.ts";
import { isPacked } from "../storage.ts";
import { runTraining } from "./run.ts";

export const layerNormBackward: WasmKernel<LayerNormParams> = (runtime, inputs, { epsilon }, outputs) => {
  if (inputs.some(isPacked)) return "packed matrix";
  const [x, weight, dy] = inputs;
  const [dx, dWeight, dBias] = outputs.map((view) => runtime.pointer(view)) as [number, number, number];
  const rows = rowsOf(runtime, x!);
  const gradients = rowsOf(runtime, dy!);
  const { count, length } = rows;
  const statistics = runtime.scratch(count * 16);
  const operands = [rows.address, rows.step, gradients.address, gradients.step, count, length, statistics];
  if (count * length > 0) {
    const chunks = Math.min(count, runtime.chunks(count * length, ROW_CHUNK));
    const ints = [...operands, runtime.contiguous(weight!), dx];
    runTraining(runtime, "layerNormBackwardJob", chunks, ints, [epsilon]);
  }
  const chunks = runtime.chunks(count * length, ROW_CHUNK);
  runTraining(runtime, "layerNormWeightsJob", chunks, [...operands, dWeight, dBias]);
  return undefined;
};
