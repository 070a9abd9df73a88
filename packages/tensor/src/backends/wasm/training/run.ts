import { applyDelta } from "../delta.ts";
import { decodeBase64 } from "../module.ts";
import type { AddedKernels, WasmRuntime } from "../runtime.ts";
import { binaries, jobs } from "./kernels.generated.ts";

/** The jobs of training, by name: every exported `…Job` function of kernels/training/*.ts. */
type TrainingJob = keyof typeof jobs;

/** The kernels of training, which only programs that train bring along. */
const kernels: AddedKernels = {
  binary: (relaxedSimd) => {
    const simd = decodeBase64(binaries.simd);
    return relaxedSimd ? applyDelta(simd, decodeBase64(binaries.relaxedDelta)) : simd;
  },
};

/** As `runtime.run`, for a job of training. */
export function runTraining(
  runtime: WasmRuntime,
  job: TrainingJob,
  chunks: number,
  ints: readonly number[],
  floats?: readonly number[],
): void {
  runtime.add(kernels);
  runtime.runNumber(jobs[job], job, chunks, ints, floats);
}
