import { sizeOf } from "../../../shape.ts";
import type { LayerNormParams } from "../../reference/normalize.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { refusal, rowsOf } from "./operands.ts";

const statistics: KernelSpec = {
  name: "layerNorm statistics",
  arguments: ["buffer", "int", "int", "int", "float"],
  // x [rows, C] → for each row two threads: μ, and 1/√(σ² + ε). Sums of floats are some units of the last place off, which
  // counts where a row is nearly constant: the mean of what is left of x after a first mean corrects it.
  body(x: number[], offset: number, step: number, C: number, epsilon: number) {
    let row = 0;
    row = Math.floor(this.thread.x / 2) >> 0;
    if (row * 2 > this.thread.x) row--;
    if (this.thread.x - row * 2 >= 2) row++;
    let sum = 0;
    let i = 0;
    while (i < C) {
      sum += x[offset + row * step + i]!;
      i++;
    }
    const about = sum / C;
    let rest = 0;
    let r = 0;
    while (r < C) {
      rest += x[offset + row * step + r]! - about;
      r++;
    }
    const mean = about + rest / C;
    if (row * 2 === this.thread.x) return mean;
    let squares = 0;
    let j = 0;
    while (j < C) {
      const deviation = x[offset + row * step + j]! - mean;
      squares += deviation * deviation;
      j++;
    }
    return 1 / Math.sqrt(squares / C + epsilon);
  },
};

const normalized: KernelSpec = {
  name: "layerNorm",
  arguments: ["buffer", "buffer", "buffer", "buffer", "int", "int", "int", "int", "int", "int", "int"],
  body(
    x: number[],
    stats: number[],
    weight: number[],
    bias: number[],
    offset: number,
    step: number,
    C: number,
    weightOffset: number,
    weightStep: number,
    biasOffset: number,
    biasStep: number,
  ) {
    let row = 0;
    row = Math.floor(this.thread.x / C) >> 0;
    if (row * C > this.thread.x) row--;
    if (this.thread.x - row * C >= C) row++;
    const normal = (x[offset + row * step + (this.thread.x - row * C)]! - stats[row * 2]!) * stats[row * 2 + 1]!;
    return (
      normal * weight[weightOffset + (this.thread.x - row * C) * weightStep]! +
      bias[biasOffset + (this.thread.x - row * C) * biasStep]!
    );
  },
};

const layerNorm: GpuKernel<LayerNormParams> = (launcher, inputs, { epsilon }, [out]) => {
  const reason = refusal(launcher, inputs);
  if (reason !== undefined) return reason;
  const [x, weight, bias] = inputs;
  const { buffer, offset, step, count, length } = rowsOf(launcher, x!);
  const stats = launcher.scratch(launcher.launch(statistics, count * 2, [buffer, offset, step, length, epsilon]));
  const vectors = [weight!, bias!].flatMap((vector) => [vector.offset, vector.strides[0]!]);
  const buffers = [buffer, stats, weight!.storage.buffer, bias!.storage.buffer];
  out!.storage.put(launcher.launch(normalized, sizeOf(out!.shape), [...buffers, offset, step, length, ...vectors]));
  return undefined;
};

export const normalizeKernels: GpuKernels = { layerNorm };
