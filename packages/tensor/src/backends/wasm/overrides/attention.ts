import type { AttentionParams } from "../../reference/attention.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked } from "../runtime.ts";
import type { WasmView } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

/** kernels/attention.ts states these, and the layout of a task and of scratch memory, too. */
const KEY_BLOCK = 128;
const TASK_INTS = 22;
/** Queries that share a reading of the keys and values. */
const QUERY_BLOCK = 32;

/** Addresses and steps, in bytes, of one operand [rows, H, D] whose last axis lies without gaps. */
interface Rows {
  readonly address: number;
  readonly row: number;
  readonly head: number;
}

const attention: WasmKernel<AttentionParams> = (runtime, inputs, params, [out]) => {
  if (inputs.some(isPacked)) return "packed matrix";
  const [T, H, D] = out!.shape as readonly [number, number, number];
  if (T === 0 || H === 0 || D === 0) return undefined;
  const operands = inputs.map((view) => rowsOf(runtime, view));
  const output = rowsOf(runtime, out!);
  const { tasks, mostKeys, mostHeads } = splitIntoTasks(runtime, inputs, operands, output, params);
  if (tasks.length === 0) return undefined;
  const width = Math.ceil(D / 8) * 8;
  const scoreRow = Math.ceil(mostKeys / 4) * 4;
  const rows = Math.max(QUERY_BLOCK, mostHeads);
  const scratchBytes = rows * (4 * scoreRow + 8 + 4 * width) + 4 * KEY_BLOCK * width;
  const chunks = Math.min(tasks.length, runtime.threads === 1 ? 1 : 8 * runtime.threads);
  const table = runtime.scratch(tasks.length * TASK_INTS * 4);
  const scratch = runtime.scratch(chunks * scratchBytes);
  new Int32Array(runtime.memory.buffer, table, tasks.length * TASK_INTS).set(tasks.flat());
  const ints = [tasks.length, table, D, width, scratch, scratchBytes, scoreRow, rows];
  runtime.run("attentionJob", chunks, ints, [params.scale]);
  return undefined;
};

export const attentionKernels: WasmKernels = { attention };

/**
 * Tasks of up to {@link QUERY_BLOCK} queries of one head, those that see the most keys first, so that threads finish
 * together; a single query takes as many heads as leave each thread a task, because then memory is read in order.
 */
function splitIntoTasks(
  runtime: WasmRuntime,
  inputs: readonly WasmView[],
  operands: readonly Rows[],
  out: Rows,
  { causal, segments }: AttentionParams,
): { tasks: number[][]; mostKeys: number; mostHeads: number } {
  const [q, k, v] = operands as readonly [Rows, Rows, Rows];
  const H = inputs[0]!.shape[1]!;
  const headGroup = Math.ceil(H / Math.max(1, Math.ceil(runtime.threads / segments.length)));
  const tasks: { readonly cost: number; readonly ints: number[] }[] = [];
  let mostKeys = 0;
  for (const { start, length, past } of segments) {
    const P = past < 0 ? 0 : inputs[past]!.shape[0]!;
    const pastK = past < 0 ? k : operands[past]!;
    const pastV = past < 0 ? v : operands[past + 1]!;
    mostKeys = Math.max(mostKeys, P + length);
    for (let first = 0; first < length; first += QUERY_BLOCK) {
      const queries = Math.min(QUERY_BLOCK, length - first);
      const visible = P + (causal ? first + 1 : length);
      const group = queries === 1 ? headGroup : 1;
      for (let head = 0; head < H; head += group) {
        const heads = Math.min(group, H - head);
        const ints = [
          at(q, start + first, head), q.row,
          at(out, start + first, head), out.row,
          at(pastK, 0, head), pastK.row, at(pastV, 0, head), pastV.row, P,
          at(k, start, head), k.row, at(v, start, head), v.row,
          visible, causal ? 1 : 0, queries, heads,
          q.head, pastK.head, pastV.head, k.head, v.head,
        ]; // biome-ignore format: in the order of the kernel's constants
        tasks.push({ cost: queries * heads * visible, ints });
      }
    }
  }
  tasks.sort((a, b) => b.cost - a.cost);
  return { tasks: tasks.map(({ ints }) => ints), mostKeys, mostHeads: headGroup };
}

function at({ address, row, head }: Rows, i: number, h: number): number {
  return address + i * row + h * head;
}

/** The operand as it lies, or a copy if its last axis has gaps. */
function rowsOf(runtime: WasmRuntime, view: WasmView): Rows {
  const [, H, D] = view.shape as readonly [number, number, number];
  if (D > 1 && view.strides[2] !== 1) return { address: runtime.contiguous(view), row: 4 * H * D, head: 4 * D };
  return { address: runtime.pointer(view), row: 4 * view.strides[0]!, head: 4 * view.strides[1]! };
}
