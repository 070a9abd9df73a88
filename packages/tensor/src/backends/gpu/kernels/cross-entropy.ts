import type { DeviceBuffer } from "../device-buffer.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { productOfRows, tooLarge } from "./matmul.ts";
import { contiguous, indexRefusal, refusal } from "./operands.ts";
import { joined } from "./rearrange.ts";
import { logSum } from "./reduce.ts";
import { softmaxStatistics } from "./softmax.ts";

/** Logits that exist at once (16 MiB). */
const LOGITS_AT_ONCE = 2 ** 22;

const atTargets: KernelSpec = {
  name: "log-probabilities of targets",
  arguments: ["buffer", "buffer", "buffer", "int", "int", "int"],
  // logits [rows, last + 1], stats [rows, 2] of m and Σ e^(z − m), targets [?, from `offset` on] → z[t] − m − log Σ [rows]
  body(logits: number[], stats: number[], targets: number[], last: number, columns: number, offset: number) {
    const target = Math.min(Math.max(targets[offset + this.thread.x]!, 0), last);
    const above = logits[this.thread.x * columns + (target >> 0)]! - stats[this.thread.x * 2]!;
    return above - Math.log(stats[this.thread.x * 2 + 1]!);
  },
};

const targetLogProbs: GpuKernel<undefined> = (launcher, [x, w, targets], _params, [logProbs, logSumExp]) => {
  const [rows, K] = x!.shape as [number, number];
  const V = w!.shape[1]!;
  const reason = refusal(launcher, [x!, w!]) ?? indexRefusal(targets!, V) ?? tooLarge(K, V, rows, 1);
  if (reason !== undefined) return reason;
  const ids = contiguous(launcher, targets!);
  const atOnce = Math.max(1, Math.floor(LOGITS_AT_ONCE / V));
  const results: { buffer: DeviceBuffer; offset: number; length: number }[][] = [[], []];
  for (let first = 0; first < rows; first += atOnce) {
    const count = Math.min(atOnce, rows - first);
    const logits = productOfRows(launcher, x!, w!, first, count);
    const stats = softmaxStatistics(launcher, { buffer: logits, offset: 0, step: V, count, length: V });
    const args = [logits, stats, ids.buffer, V - 1, V, ids.offset + first];
    const parts = [launcher.launch(atTargets, count, args), launcher.launch(logSum, count, [stats])];
    launcher.free(logits); // when these kernels are done with it
    for (const [i, buffer] of parts.entries()) {
      results[i]!.push({ buffer: rows > atOnce ? launcher.scratch(buffer) : buffer, offset: 0, length: count });
    }
  }
  for (const [i, out] of [logProbs!, logSumExp!].entries()) {
    const parts = results[i]!;
    out.storage.put(parts.length === 1 ? parts[0]!.buffer : joined(launcher, parts, 1));
  }
  return undefined;
};

export const crossEntropyKernels: GpuKernels = { targetLogProbs };
