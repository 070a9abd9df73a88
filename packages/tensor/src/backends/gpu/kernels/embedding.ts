import { sizeOf } from "../../../shape.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { contiguous, exactIndices, indexRefusal } from "./operands.ts";

const rowsOfTable: KernelSpec = {
  name: "embedding",
  arguments: ["buffer", "buffer", "int", "int", "int", "int", "int", "int"],
  // table [V, columns], ids [rows] → [rows, columns]. `>> 0` where a variable is used: see exactIndices in operands.ts.
  body(
    table: number[],
    ids: number[],
    last: number,
    columns: number,
    offset: number,
    rowStep: number,
    columnStep: number,
    idsOffset: number,
  ) {
    let row = 0;
    row = Math.floor(this.thread.x / columns) >> 0;
    if (row * columns > this.thread.x) row--;
    if (this.thread.x - row * columns >= columns) row++;
    const id = Math.min(Math.max(ids[idsOffset + row]!, 0), last);
    return table[offset + (id >> 0) * rowStep + (this.thread.x - (row >> 0) * columns) * columnStep]!;
  },
};

const embedding: GpuKernel<undefined> = (launcher, [table, ids], _params, [out]) => {
  const reason = indexRefusal(ids!, table!.shape[0]!);
  if (reason !== undefined) return reason;
  if (sizeOf(out!.shape) > exactIndices(launcher)) return "a result of too many elements";
  const [V, C] = table!.shape as readonly [number, number];
  const where = contiguous(launcher, ids!);
  const steps = [V - 1, C, table!.offset, table!.strides[0]!, table!.strides[1]!, where.offset];
  out!.storage.put(launcher.launch(rowsOfTable, sizeOf(out!.shape), [table!.storage.buffer, where.buffer, ...steps]));
  return undefined;
};

export const embeddingKernels: GpuKernels = { embedding };
