import type { AttentionBackwardParams } from "../../reference/backward/attention.ts";
import { BACKWARD_QUERIES, BACKWARD_TASK_BYTES, BACKWARD_TASK_LENGTH, PANEL_WIDTH } from "../abi.ts";
import { headsOf } from "../overrides/heads.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { panelCount } from "../panels.ts";
import { isPacked } from "../storage.ts";
import { runTraining } from "./run.ts";

const TASK_INTS = BACKWARD_TASK_BYTES / 4;

/** A task for each head of each sequence, the longest first: then no two threads add to one sum. */
export const attentionBackward: WasmKernel<AttentionBackwardParams> = (runtime, inputs, params, outputs) => {
  if (inputs.some(isPacked)) return "packed matrix";
  const { scale, causal, segments } = params;
  const [, H, D] = inputs[0]!.shape as readonly [number, number, number];
  const sequences = segments.filter(({ length }) => length > 0).sort((a, b) => b.length - a.length);
  const count = sequences.length * H;
  if (count * D === 0) return undefined;
  const operands = [...inputs, ...outputs].map((view) => headsOf(runtime, view));
  const table = runtime.scratch(count * BACKWARD_TASK_BYTES);
  const tasks = new Int32Array(runtime.memory.buffer, table, count * TASK_INTS);
  for (const [i, { start, length }] of sequences.entries()) {
    for (let h = 0; h < H; h++) {
      const task = tasks.subarray((i * H + h) * TASK_INTS);
      for (const [n, { address, row, head }] of operands.entries()) {
        task[2 * n] = address + start * row + h * head;
        task[2 * n + 1] = row;
      }
      task[BACKWARD_TASK_LENGTH / 4] = length;
    }
  }
  const keys = panelCount(sequences[0]!.length) * PANEL_WIDTH;
  const width = panelCount(D) * PANEL_WIDTH;
  // As kernels/training/attention.ts divides it.
  const floats = keys * (2 * D + width) + BACKWARD_QUERIES * (2 * D + 2 * width + 5 * keys);
  const chunks = runtime.threads === 1 ? 1 : Math.min(count, 8 * runtime.threads);
  const scratch = runtime.scratch(chunks * floats * 4);
  const ints = [count, table, D, Number(causal), scratch, floats * 4, keys];
  runTraining(runtime, "attentionBackwardJob", chunks, ints, [scale]);
  return undefined;
};
