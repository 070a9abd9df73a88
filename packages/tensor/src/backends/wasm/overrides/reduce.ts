import type { ReduceParams } from "../../reference/reduce.ts";
import * as abi from "../abi.ts";
import type { Job } from "../runtime.ts";
import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { alongRows, rowsOf } from "./rows.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 16_384;

const numbers = {
  sum: abi.REDUCE_SUM,
  mean: abi.REDUCE_MEAN,
  prod: abi.REDUCE_PROD,
  max: abi.REDUCE_MAX,
  min: abi.REDUCE_MIN,
  argMax: abi.REDUCE_ARG_MAX,
  argMin: abi.REDUCE_ARG_MIN,
  logSumExp: abi.REDUCE_LOG_SUM_EXP,
  any: abi.REDUCE_MAX,
  all: abi.REDUCE_MIN,
} as const;

const jobs: Readonly<Record<string, Job>> = {
  float32: "reduceFloatsJob",
  int32: "reduceIntsJob",
  bool: "reduceBytesJob",
};

export const reduceKernels: WasmKernels = {
  ...Object.fromEntries(Object.entries(numbers).map(([name, which]) => [name, reduction(which)])),
  cumsum: alongRows("cumsumJob"),
};

function reduction(which: number): WasmKernel<ReduceParams> {
  return (runtime, [x], { axes }, [out]) => {
    if (isPacked(x!)) return "packed matrix";
    const job = jobs[x!.dtype];
    if (!job) return x!.dtype;
    const rows = rowsOf(runtime, x!, axes);
    if (rows.count === 0) return undefined;
    const chunks = Math.min(rows.count, runtime.chunks(rows.count * rows.length, CHUNK));
    const { address, step, count, length } = rows;
    runtime.run(job, chunks, [address, step, runtime.pointer(out!), count, length, which]);
    return undefined;
  };
}
