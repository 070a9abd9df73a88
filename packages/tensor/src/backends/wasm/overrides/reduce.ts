import type { ReduceParams } from "../../reference/reduce.ts";
import { isPacked, type Job } from "../runtime.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { rowsOf } from "./rows.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 16_384;

/** kernels/reduce.ts states these numbers too. */
const numbers = {
  sum: 0,
  mean: 1,
  prod: 2,
  max: 3,
  min: 4,
  argMax: 5,
  argMin: 6,
  logSumExp: 7,
  any: 3,
  all: 4,
} as const;

const jobs: Readonly<Record<string, Job>> = {
  float32: "reduceFloatsJob",
  int32: "reduceIntsJob",
  bool: "reduceBytesJob",
};

export const reduceKernels: WasmKernels = Object.fromEntries(
  Object.entries(numbers).map(([name, which]) => [name, reduction(which)]),
);

function reduction(which: number): WasmKernel<ReduceParams> {
  return (runtime, [x], { axes }, [out]) => {
    if (isPacked(x!)) return "packed matrix";
    const job = jobs[x!.dtype];
    if (!job) return x!.dtype;
    const rows = rowsOf(runtime, x!, axes);
    if (rows.count === 0) return undefined;
    const chunks = Math.min(rows.count, runtime.chunks(rows.count * rows.length, CHUNK));
    const scratch = which === numbers.logSumExp ? runtime.scratch(chunks * rows.length * 4) : 0;
    const { address, step, count, length } = rows;
    runtime.run(job, chunks, [address, step, runtime.pointer(out!), count, length, which, scratch]);
    return undefined;
  };
}
