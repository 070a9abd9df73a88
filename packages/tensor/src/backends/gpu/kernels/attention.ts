import { sizeOf } from "../../../shape.ts";
import type { AttentionParams, AttentionSegment } from "../../reference/attention.ts";
import type { DeviceBuffer } from "../device-buffer.ts";
import type { Launcher } from "../launcher.ts";
import type { GpuView } from "../storage.ts";
import { scoresSpec, sumFour, sumOne } from "./attention-specs.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { contiguous, exactIndices, refusal } from "./operands.ts";
import { softmaxOf } from "./softmax.ts";

/** An operand [rows, H, D] whose last axis is contiguous. */
interface Heads {
  readonly buffer: DeviceBuffer;
  readonly rows: number;
  /** Where it begins, and how many elements apart its rows and its heads are. */
  readonly layout: readonly [offset: number, row: number, head: number];
}

/** Sequences that share one launch of each kernel: they have the same past, or none. */
interface Group {
  readonly segments: readonly AttentionSegment[];
  /** Which operand holds the past's keys, or −1. */
  readonly past: number;
}

/** What both kernels get to know about the sequences. */
interface Extent {
  /** Queries of each sequence, rows of the past, keys that a query sees at most: see attention-specs.ts. */
  readonly L: number;
  readonly P: number;
  readonly S: number;
  readonly table: DeviceBuffer | undefined;
}

const TOO_MANY = "too many scores";

const attention: GpuKernel<AttentionParams> = (launcher, inputs, params, [out]) => {
  const reason = encoded(inputs) ?? refusal(launcher, inputs);
  if (reason !== undefined) return reason;
  const [T, H, D] = out!.shape as readonly [number, number, number];
  if (mostScores(inputs, T, H) > exactIndices(launcher)) return TOO_MANY;
  const operands = inputs.map((view) => headsOf(launcher, view));
  const v = operands[2]!;
  const inFours = launcher.maxComponents === 4 && D % 4 === 0;
  let result: DeviceBuffer | undefined;
  for (const group of groupsOf(operands, params.segments)) {
    if (result) launcher.scratch(result);
    const extent = extentOf(launcher, operands, group, T, params.causal);
    const past = group.past < 0 ? v : operands[group.past + 1]!;
    const scores = launcher.scratch(scoresOf(launcher, operands, group, extent, params, [T, H, D]));
    const { L, P, S, table } = extent;
    const buffers = [scores, v.buffer, past.buffer, table ?? scores, result ?? scores];
    const sizes = [Number(table !== undefined), Number(params.causal), T, H, D, L, P, S];
    const args = [...buffers, ...sizes, ...v.layout, ...past.layout];
    result = inFours ? launcher.launch(sumFour, (T * H * D) / 4, args) : launcher.launch(sumOne, T * H * D, args);
  }
  out!.storage.put(result!);
  return undefined;
};

const attentionWeights: GpuKernel<AttentionParams> = (launcher, inputs, params, [out]) => {
  const reason = encoded(inputs) ?? refusal(launcher, inputs);
  if (reason !== undefined) return reason;
  const [T, H, D] = inputs[0]!.shape as readonly [number, number, number];
  if (mostScores(inputs, T, H) > exactIndices(launcher)) return TOO_MANY;
  const operands = inputs.map((view) => headsOf(launcher, view));
  const [group] = groupsOf(operands, params.segments) as [Group];
  const extent = extentOf(launcher, operands, group, T, params.causal);
  const buffer = launcher.scratch(scoresOf(launcher, operands, group, extent, params, [T, H, D]));
  const rows = { buffer, offset: 0, step: extent.S, count: H * T, length: extent.S };
  out!.storage.put(softmaxOf(launcher, rows, 0));
  return undefined;
};

export const attentionKernels: GpuKernels = { attention, attentionWeights };

/** Why kernels do not take these keys, if so. */
function encoded([, k]: readonly GpuView[]): string | undefined {
  return k!.dtype === "float32" ? undefined : "encoded keys and values";
}

/** The most scores computed at a time: those of each query with all keys. */
function mostScores(inputs: readonly GpuView[], T: number, H: number): number {
  return H * T * (T + Math.max(0, ...inputs.slice(2).map(({ shape }) => shape[0]!)));
}

/** The operand as it lies, or a copy if its last axis has gaps. */
function headsOf(launcher: Launcher, view: GpuView): Heads {
  const { shape, strides, storage, offset } = view;
  const [rows, H, D] = shape as readonly [number, number, number];
  if (sizeOf(shape) > 0 && D > 1 && strides[2] !== 1) {
    const copy = contiguous(launcher, view);
    return { buffer: copy.buffer, rows, layout: [copy.offset, H * D, D] };
  }
  return { buffer: storage.buffer, rows, layout: [offset, strides[0]!, strides[1]!] };
}

/** Sequences by their past; those without one join any group. There is at least one group, because there are queries. */
function groupsOf(operands: readonly Heads[], segments: readonly AttentionSegment[]): Group[] {
  const byPast = new Map<number, AttentionSegment[]>();
  for (const segment of segments) {
    if (segment.length === 0) continue;
    const past = segment.past >= 0 && operands[segment.past]!.rows > 0 ? segment.past : -1;
    byPast.set(past, [...(byPast.get(past) ?? []), { ...segment, past }]);
  }
  const without = byPast.get(-1) ?? [];
  if (byPast.size > 1) byPast.delete(-1);
  return [...byPast].map(([past, own], i) => ({ past, segments: i === 0 && past >= 0 ? [...own, ...without] : own }));
}

/** Sequences of one length and past that fill all rows need no table. */
function extentOf(
  launcher: Launcher,
  operands: readonly Heads[],
  { past, segments }: Group,
  T: number,
  causal: boolean,
): Extent {
  const P = past < 0 ? 0 : operands[past]!.rows;
  const L = segments[0]!.length;
  const alike = segments.every((segment) => segment.length === L && segment.past === past);
  if (alike && segments.length * L === T) return { L, P, S: P + L, table: undefined };
  const table = new Float32Array(3 * T);
  let S = 0;
  for (const { start, length, past: own } of segments) {
    const before = own < 0 ? 0 : P;
    S = Math.max(S, before + length);
    for (let t = start; t < start + length; t++) table.set([start + 1, causal ? t : start + length - 1, before], 3 * t);
  }
  return { L, P, S, table: launcher.scratch(launcher.upload(table.length, "attention's sequences", () => table)) };
}

/** The scores [H, T, S] of the queries of a group. */
function scoresOf(
  launcher: Launcher,
  operands: readonly Heads[],
  group: Group,
  { L, P, S, table }: Extent,
  { scale, causal }: AttentionParams,
  [T, H, D]: readonly [number, number, number],
): DeviceBuffer {
  const [q, k] = operands as readonly [Heads, Heads];
  const past = group.past < 0 ? k : operands[group.past]!;
  const op = D % 4 === 0 ? 4 : 1;
  return launcher.launch({ ...scoresSpec, constants: { op } }, H * T * S, [
    ...[q.buffer, k.buffer, past.buffer, table ?? q.buffer],
    ...[scale, Number(table !== undefined), Number(causal), T, L, P, S, D / op],
    ...[...q.layout, ...k.layout, ...past.layout],
  ]);
}
