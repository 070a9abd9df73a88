import { sizeOf } from "../../../shape.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { contiguous, indexRefusal, refusal, rowsOf } from "./operands.ts";

const gathered: KernelSpec = {
  name: "gather",
  arguments: ["buffer", "buffer", "int", "int", "int", "int", "int"],
  // x [rows, last + 1], indices [rows, columns] → [rows, columns]
  body(
    x: number[],
    indices: number[],
    last: number,
    columns: number,
    offset: number,
    step: number,
    indicesOffset: number,
  ) {
    let row = 0;
    row = Math.floor(this.thread.x / columns) >> 0;
    if (row * columns > this.thread.x) row--;
    if (this.thread.x - row * columns >= columns) row++;
    const index = Math.min(Math.max(indices[indicesOffset + this.thread.x]!, 0), last);
    return x[offset + row * step + (index >> 0)]!;
  },
};

const gather: GpuKernel<undefined> = (launcher, [x, indices], _params, [out]) => {
  const reason = refusal(launcher, [x!]) ?? indexRefusal(indices!, x!.shape.at(-1)!);
  if (reason !== undefined) return reason;
  const { buffer, offset, step, length } = rowsOf(launcher, x!);
  const where = contiguous(launcher, indices!);
  const sizes = [length - 1, out!.shape.at(-1)!, offset, step, where.offset];
  out!.storage.put(launcher.launch(gathered, sizeOf(out!.shape), [buffer, where.buffer, ...sizes]));
  return undefined;
};

export const indexingKernels: GpuKernels = { gather };
