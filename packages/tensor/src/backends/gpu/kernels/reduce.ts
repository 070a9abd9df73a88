import type { ReduceParams } from "../../reference/reduce.ts";
import type { DeviceBuffer } from "../device-buffer.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { Launcher } from "../launcher.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { type Rows, refusal, rowsOf } from "./operands.ts";
import { chunksOf, softmaxStatistics } from "./softmax.ts";

const SUM = 0;
const PROD = 1;
const MAX = 2;
const MIN = 3;

const fold: KernelSpec = {
  name: "reduce",
  arguments: ["buffer", "int", "int", "int", "int", "int", "float"],
  // x [rows, length] → one number for each chunk of each row, divided by `divisor`
  body(x: number[], offset: number, step: number, length: number, chunk: number, chunks: number, divisor: number) {
    let row = 0;
    row = Math.floor(this.thread.x / chunks) >> 0;
    if (row * chunks > this.thread.x) row--;
    if (this.thread.x - row * chunks >= chunks) row++;
    let count = 0;
    count = length - (this.thread.x - row * chunks) * chunk - 1;
    count++;
    if (count > chunk) count = chunk;
    let at = 0;
    at = offset + row * step + (this.thread.x - row * chunks) * chunk;
    let out = x[at]!;
    let i = 1;
    while (i < count) {
      at++;
      if (this.constants.op === 0) out += x[at]!;
      if (this.constants.op === 1) out *= x[at]!;
      if (this.constants.op === 2) out = Math.max(out, x[at]!);
      if (this.constants.op === 3) out = Math.min(out, x[at]!);
      i++;
    }
    if (divisor > 1) out /= divisor;
    return out;
  },
};

const findBest: KernelSpec = {
  name: "argMax, argMin",
  arguments: ["buffer", "int", "int", "int", "int", "int"],
  // x [rows, length] → for each chunk of each row two threads: the largest sign·x (the first of equals, or the first NaN,
  // which alone differs from itself), and its index
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
    let index = (part - row * chunks) * chunk; // a float: indices below 2²⁴ are exact
    let best = this.constants.op * x[at]!;
    let i = 1;
    while (i < count) {
      at++;
      const value = this.constants.op * x[at]!;
      // biome-ignore lint/suspicious/noSelfCompare: kernels know no isNaN
      if (value > best || (value !== value && best === best)) {
        best = value;
        index = (part - row * chunks) * chunk + i;
      }
      i++;
    }
    if (part * 2 === this.thread.x) return best;
    return index;
  },
};

const bestOfChunks: KernelSpec = {
  name: "argMax, argMin of chunks",
  arguments: ["buffer", "int"],
  // parts [rows, chunks, 2], of values and indices → the index [rows] that stands with the largest value
  body(parts: number[], chunks: number) {
    let best = parts[this.thread.x * chunks * 2]!;
    let index = parts[this.thread.x * chunks * 2 + 1]!;
    let i = 1;
    while (i < chunks) {
      const value = parts[(this.thread.x * chunks + i) * 2]!;
      // biome-ignore lint/suspicious/noSelfCompare: kernels know no isNaN
      if (value > best || (value !== value && best === best)) {
        best = value;
        index = parts[(this.thread.x * chunks + i) * 2 + 1]!;
      }
      i++;
    }
    return index;
  },
};

/** Takes softmaxStatistics of rows. */
export const logSum: KernelSpec = {
  name: "logSumExp",
  arguments: ["buffer"],
  // stats [rows, 2], of m and Σ e^(x − m) → m + log Σ; m where that is infinite, as x − m is NaN there
  body(stats: number[]) {
    const largest = stats[this.thread.x * 2]!;
    let out = largest + Math.log(stats[this.thread.x * 2 + 1]!);
    if (Math.abs(largest) > 3.4028235e38) out = largest;
    return out;
  },
};

export const reduceKernels: GpuKernels = {
  sum: reduction(folding(SUM)),
  mean: reduction((launcher, rows) => folded(launcher, rows, SUM, rows.length)),
  prod: reduction(folding(PROD)),
  max: reduction(folding(MAX)),
  min: reduction(folding(MIN)),
  any: reduction(folding(MAX)), // of zeros and ones
  all: reduction(folding(MIN)),
  argMax: reduction((launcher, rows) => indexOfBest(launcher, rows, 1)),
  argMin: reduction((launcher, rows) => indexOfBest(launcher, rows, -1)),
  logSumExp: reduction((launcher, rows) => launcher.launch(logSum, rows.count, [softmaxStatistics(launcher, rows)])),
};

function reduction(reduce: (launcher: Launcher, rows: Rows) => DeviceBuffer): GpuKernel<ReduceParams> {
  return (launcher, [x], { axes }, [out]) => {
    const reason = refusal(launcher, [x!]);
    if (reason !== undefined) return reason;
    if (x!.shape.includes(0)) return "no elements";
    out!.storage.put(reduce(launcher, rowsOf(launcher, x!, axes)));
    return undefined;
  };
}

function folding(op: number) {
  return (launcher: Launcher, rows: Rows): DeviceBuffer => folded(launcher, rows, op, 1);
}

function folded(launcher: Launcher, rows: Rows, op: number, divisor: number): DeviceBuffer {
  const { buffer, offset, step, count, length } = rows;
  const { chunk, chunks } = chunksOf(length);
  const spec = { ...fold, constants: { op } };
  const sizes = [offset, step, length, chunk, chunks];
  if (chunks === 1) return launcher.launch(spec, count, [buffer, ...sizes, divisor]);
  const parts = launcher.scratch(launcher.launch(spec, count * chunks, [buffer, ...sizes, 1]));
  return launcher.launch(spec, count, [parts, 0, chunks, chunks, chunks, 1, divisor]);
}

function indexOfBest(launcher: Launcher, { buffer, offset, step, count, length }: Rows, sign: 1 | -1): DeviceBuffer {
  const { chunk, chunks } = chunksOf(length);
  const spec = { ...findBest, constants: { op: sign } };
  const sizes = [offset, step, length, chunk, chunks];
  const parts = launcher.scratch(launcher.launch(spec, count * chunks * 2, [buffer, ...sizes]));
  return launcher.launch(bestOfChunks, count, [parts, chunks]);
}
