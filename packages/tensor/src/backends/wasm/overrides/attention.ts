import { vectorEncodingOf } from "../../../encodings/vectors.ts";
import type { AttentionParams } from "../../reference/attention.ts";
import * as abi from "../abi.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked, type WasmView } from "../storage.ts";
import { type Heads, headsOf } from "./heads.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { VECTORS } from "./vectors.ts";

const TASK_INTS = abi.TASK_BYTES / 4;
/** Queries that share a reading of the keys and values. */
const QUERY_BLOCK = 32;

const attention: WasmKernel<AttentionParams> = (runtime, inputs, params, [out]) => {
  if (inputs.some(isPacked)) return "packed matrix";
  const [T, H, D] = out!.shape as readonly [number, number, number];
  if (T === 0 || H === 0 || D === 0) return undefined;
  const operands = inputs.map((view) => headsOf(runtime, view));
  const output = headsOf(runtime, out!);
  const { tasks, mostKeys, mostHeads } = splitIntoTasks(runtime, inputs, operands, output, params);
  if (tasks.length === 0) return undefined;
  const { kind, width, blocks } = keptAs(inputs[1]!, D);
  const scoreRow = Math.ceil(mostKeys / 4) * 4 + (kind === abi.VECTORS_INT8 ? 4 : 0);
  const rows = Math.max(QUERY_BLOCK, mostHeads);
  const integers = kind === abi.VECTORS_INT8 ? 2 * width + 4 + 2 * abi.KEY_BLOCK + 4 : 0;
  const block = 4 * abi.KEY_BLOCK * (width + 1);
  const scratchBytes = rows * (4 * scoreRow + 8 + integers + 4 * width) + block + 4 * width;
  const chunks = Math.min(tasks.length, runtime.threads === 1 ? 1 : 8 * runtime.threads);
  const table = runtime.scratch(tasks.length * abi.TASK_BYTES);
  const scratch = runtime.scratch(chunks * scratchBytes);
  new Int32Array(runtime.memory.buffer, table, tasks.length * TASK_INTS).set(tasks.flat());
  const ints = [tasks.length, table, D, width, scratch, scratchBytes, scoreRow, rows, kind, blocks];
  runtime.run("attentionJob", chunks, ints, [params.scale]);
  return undefined;
};

export const attentionKernels: WasmKernels = { attention };

/** How keys and values are kept; floats that an unpacked one takes, and its blocks of 16 bytes. */
function keptAs({ dtype, shape }: WasmView, D: number): { kind: number; width: number; blocks: number } {
  if (dtype === "float32") return { kind: abi.VECTORS_F32, width: Math.ceil(D / 8) * 8, blocks: 0 };
  const encoding = vectorEncodingOf(shape[2]!, D)!; // the op has checked it
  const blocks = Math.floor(shape[2]! / 16);
  return { kind: VECTORS[encoding], width: blocks * (encoding === "bf16" ? 8 : 16), blocks };
}

/**
 * Tasks of up to {@link QUERY_BLOCK} queries of one head, those that see the most keys first, so that threads finish
 * together; a single query takes as many heads as leave each thread a task, because then memory is read in order.
 */
function splitIntoTasks(
  runtime: WasmRuntime,
  inputs: readonly WasmView[],
  operands: readonly Heads[],
  out: Heads,
  { causal, segments }: AttentionParams,
): { tasks: number[][]; mostKeys: number; mostHeads: number } {
  const [q, k, v] = operands as readonly [Heads, Heads, Heads];
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

function at({ address, row, head }: Heads, i: number, h: number): number {
  return address + i * row + h * head;
}
