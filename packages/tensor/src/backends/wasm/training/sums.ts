import { sizeOf } from "../../../shape.ts";
import { SQUARES_AT_ONCE } from "../abi.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { rowsOf } from "../overrides/rows.ts";
import { isPacked, type WasmView } from "../storage.ts";
import { runTraining } from "./run.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 32_768;

export const columnSums: WasmKernel<undefined> = (runtime, [x], _params, [out]) => {
  if (isPacked(x!)) return "packed matrix";
  const { address, step, count, length } = rowsOf(runtime, x!);
  const chunks = runtime.chunks(count * length, CHUNK);
  runTraining(runtime, "columnSumsJob", chunks, [address, step, runtime.pointer(out!), count, length]);
  return undefined;
};

export const squaredNorm: WasmKernel<undefined> = (runtime, [x], _params, [out]) => {
  if (isPacked(x!)) return "packed matrix";
  const count = sizeOf(x!.shape);
  const pieces = Math.ceil(count / SQUARES_AT_ONCE);
  const sums = runtime.scratch(pieces * 8);
  runTraining(runtime, "squaresJob", Math.min(pieces, runtime.chunks(count, CHUNK)), [
    runtime.contiguous(x!),
    count,
    sums,
  ]);
  const total = new Float64Array(runtime.memory.buffer, sums, pieces).reduce((sum, piece) => sum + piece, 0);
  (out as WasmView<"float32">).storage.data[out!.offset] = total;
  return undefined;
};
