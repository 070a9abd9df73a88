import type { AttentionParams } from "../../reference/attention.ts";
import * as abi from "../abi.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked, type WasmView } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

const TASK_INTS = abi.TASK_BYTES / 4;
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
  const scratchBytes = rows * (4 * scoreRow + 8 + 4 * width) + 4 * abi.KEY_BLOCK * width;
  const chunks = Math.min(tasks.length, runtime.threads === 1 ? 1 : 8 * runtime.threads);
  const table = runtime.scratch(tasks.length * abi.TASK_BYTES);
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
        const ints = new Array<number>(TASK_INTS).fill(0);
        const set = (field: number, value: number): void => {
          ints[field / 4] = value;
        };
        set(abi.TASK_QUERY, at(q, start + first, head));
        set(abi.TASK_QUERY_ROW, q.row);
        set(abi.TASK_QUERY_HEAD, q.head);
        set(abi.TASK_OUT, at(out, start + first, head));
        set(abi.TASK_OUT_ROW, out.row);
        set(abi.TASK_PAST_K, at(pastK, 0, head));
        set(abi.TASK_PAST_K_ROW, pastK.row);
        set(abi.TASK_PAST_K_HEAD, pastK.head);
        set(abi.TASK_PAST_V, at(pastV, 0, head));
        set(abi.TASK_PAST_V_ROW, pastV.row);
        set(abi.TASK_PAST_V_HEAD, pastV.head);
        set(abi.TASK_PAST_LENGTH, P);
        set(abi.TASK_NEW_K, at(k, start, head));
        set(abi.TASK_NEW_K_ROW, k.row);
        set(abi.TASK_NEW_K_HEAD, k.head);
        set(abi.TASK_NEW_V, at(v, start, head));
        set(abi.TASK_NEW_V_ROW, v.row);
        set(abi.TASK_NEW_V_HEAD, v.head);
        set(abi.TASK_VISIBLE, visible);
        set(abi.TASK_VISIBLE_STEP, causal ? 1 : 0);
        set(abi.TASK_QUERIES, queries);
        set(abi.TASK_HEADS, heads);
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
