import type { DeviceBuffer } from "../device-buffer.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { Launcher } from "../launcher.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { type Rows, refusal, rowsOf } from "./operands.ts";

/** Rows of more elements are read by several threads, one for each chunk of about √length of them, at least 256. */
const LONG_ROW = 1024;
const SHORTEST_CHUNK = 256;

/** Splits rows among threads. */
export function chunksOf(length: number): { readonly chunk: number; readonly chunks: number } {
  if (length <= LONG_ROW) return { chunk: length, chunks: 1 };
  const chunk = Math.max(SHORTEST_CHUNK, Math.ceil(Math.sqrt(length)));
  return { chunk, chunks: Math.ceil(length / chunk) };
}

const statistics: KernelSpec = {
  name: "softmax statistics",
  arguments: ["buffer", "int", "int", "int", "int", "int"],
  // x [rows, length] → for each chunk of each row two threads: m = max x, and Σ e^(x − m)
  body(x: number[], offset: number, step: number, length: number, chunk: number, chunks: number) {
    let part = 0;
    part = Math.floor(this.thread.x / 2) >> 0;
    if (part * 2 > this.thread.x) part--;
    if (this.thread.x - part * 2 >= 2) part++;
    let row = 0;
    row = Math.floor(part / chunks) >> 0;
    if (row * chunks > part) row--;
    if (part - row * chunks >= chunks) row++;
    let count = 0;
    count = length - (part - row * chunks) * chunk - 1;
    count++;
    if (count > chunk) count = chunk;
    let at = 0;
    at = offset + row * step + (part - row * chunks) * chunk;
    let largest = x[at]!;
    let i = 1;
    while (i < count) {
      at++;
      largest = Math.max(largest, x[at]!);
      i++;
    }
    if (part * 2 === this.thread.x) return largest;
    let sum = 0;
    while (i > 0) {
      // e^−110 is 0 in float32; where x is masked, x − m may be −∞, for which WGSL promises nothing.
      sum += Math.exp(Math.max(x[at]! - largest, -110));
      at--;
      i--;
    }
    // A chunk of nothing but −∞, where x − m is NaN, has no weight beside the others.
    if (largest < -3.4028235e38 && chunks > 1) sum = 0;
    return sum;
  },
};

const combine: KernelSpec = {
  name: "softmax statistics of chunks",
  arguments: ["buffer", "int"],
  // parts [rows, chunks, 2] → [rows, 2]
  body(parts: number[], chunks: number) {
    let row = 0;
    row = Math.floor(this.thread.x / 2) >> 0;
    if (row * 2 > this.thread.x) row--;
    if (this.thread.x - row * 2 >= 2) row++;
    let largest = parts[row * chunks * 2]!;
    let i = 1;
    while (i < chunks) {
      largest = Math.max(largest, parts[(row * chunks + i) * 2]!);
      i++;
    }
    if (row * 2 === this.thread.x) return largest;
    let sum = 0;
    let j = 0;
    while (j < chunks) {
      sum += parts[(row * chunks + j) * 2 + 1]! * Math.exp(Math.max(parts[(row * chunks + j) * 2]! - largest, -110));
      j++;
    }
    return sum;
  },
};

const normalized: KernelSpec = {
  name: "softmax",
  arguments: ["buffer", "buffer", "int", "int", "int"],
  // x [rows, columns], stats [rows, 2] → e^(x − m)/Σ, or, with constants.op, x − m − log Σ
  body(x: number[], stats: number[], offset: number, step: number, columns: number) {
    let row = 0;
    row = Math.floor(this.thread.x / columns) >> 0;
    if (row * columns > this.thread.x) row--;
    if (this.thread.x - row * columns >= columns) row++;
    const above = x[offset + row * step + (this.thread.x - row * columns)]! - stats[row * 2]!;
    let out = 0;
    if (this.constants.op === 0) out = Math.exp(Math.max(above, -110)) / stats[row * 2 + 1]!;
    if (this.constants.op === 1) out = above - Math.log(stats[row * 2 + 1]!);
    return out;
  },
};

/** m = max x and Σ e^(x − m) of each row, side by side: [rows, 2]. Lives as long as the op. */
export function softmaxStatistics(launcher: Launcher, { buffer, offset, step, count, length }: Rows): DeviceBuffer {
  const { chunk, chunks } = chunksOf(length);
  const sizes = [offset, step, length, chunk, chunks];
  const parts = launcher.scratch(launcher.launch(statistics, count * chunks * 2, [buffer, ...sizes]));
  return chunks === 1 ? parts : launcher.scratch(launcher.launch(combine, count * 2, [parts, chunks]));
}

/** The softmax of each row, or its logarithm. */
export function softmaxOf(launcher: Launcher, rows: Rows, log: 0 | 1): DeviceBuffer {
  const { buffer, offset, step, count, length } = rows;
  const stats = softmaxStatistics(launcher, rows);
  return launcher.launch({ ...normalized, constants: { op: log } }, count * length, [
    buffer,
    stats,
    offset,
    step,
    length,
  ]);
}

export const softmaxKernels: GpuKernels = { softmax: alongRows(0), logSoftmax: alongRows(1) };

function alongRows(log: 0 | 1): GpuKernel<undefined> {
  return (launcher, [x], _params, [out]) => {
    const reason = refusal(launcher, [x!]);
    if (reason !== undefined) return reason;
    out!.storage.put(softmaxOf(launcher, rowsOf(launcher, x!), log));
    return undefined;
  };
}
