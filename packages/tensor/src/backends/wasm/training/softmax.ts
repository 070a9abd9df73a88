import type { WasmKernel } from "../overrides/kernel.ts";
import { ROW_CHUNK, rowsOf } from "../overrides/rows.ts";
import { isPacked } from "../storage.ts";
import { runTraining } from "./run.ts";

export const softmaxBackward: WasmKernel<undefined> = alongRows("softmaxBackwardJob");
export const logSoftmaxBackward: WasmKernel<undefined> = alongRows("logSoftmaxBackwardJob");

function alongRows(job: "softmaxBackwardJob" | "logSoftmaxBackwardJob"): WasmKernel<undefined> {
  return (runtime, [y, dy], _params, [dx]) => {
    if (isPacked(y!) || isPacked(dy!)) return "packed matrix";
    const rows = rowsOf(runtime, y!);
    const gradients = rowsOf(runtime, dy!);
    const { count, length } = rows;
    if (count * length === 0) return undefined;
    const ints = [rows.address, rows.step, gradients.address, gradients.step, runtime.pointer(dx!), count, length];
    runTraining(runtime, job, Math.min(count, runtime.chunks(count * length, ROW_CHUNK)), ints);
    return undefined;
  };
}
