import { isContiguous, sizeOf } from "../../../shape.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import { collapse } from "./axes.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { contiguous, copied, refusal } from "./operands.ts";

const replaceRows: KernelSpec = {
  name: "copy into",
  arguments: ["buffer", "buffer", "int", "int", "int", "int", "int"],
  // target, but for `rows` of `columns` elements each, `rowStep` apart from `start` on: those come from source
  body(
    target: number[],
    source: number[],
    offset: number,
    start: number,
    rows: number,
    columns: number,
    rowStep: number,
  ) {
    let row = 0;
    row = Math.floor((this.thread.x - start) / rowStep) >> 0;
    if (row * rowStep > this.thread.x - start) row--;
    if (this.thread.x - start - row * rowStep >= rowStep) row++;
    let out = target[this.thread.x]!;
    if (this.thread.x >= start && row < rows && this.thread.x - start - row * rowStep < columns) {
      out = source[offset + row * columns + (this.thread.x - start - row * rowStep)]!;
    }
    return out;
  },
};

/**
 * copy: strided view → contiguous; or into a part of what there is: written there if it lies without gaps and the mode can,
 * else a new buffer takes the place of the old one.
 */
const copy: GpuKernel<undefined> = (launcher, [source], _params, [target]) => {
  const reason = refusal(launcher, [source!]);
  if (reason !== undefined) return reason;
  const { storage, shape, strides, offset } = target!;
  const size = sizeOf(shape);
  if (size === storage.length && isContiguous(shape, strides)) {
    storage.put(copied(launcher, source!));
    return undefined;
  }
  const axes = collapse(shape, [strides]);
  const inner = axes.at(-1)!;
  const outer = axes.at(-2);
  const from = contiguous(launcher, source!);
  const gapless = size === 1 || inner.steps[0] === 1;
  if (axes.length === 1 && gapless && launcher.write(storage.buffer, offset, from.buffer, from.offset, size)) {
    storage.put(storage.buffer);
    return undefined;
  }
  const columns = gapless ? inner.size : 1;
  const [rows, rowStep] = gapless
    ? [outer?.size ?? 1, outer?.steps[0] ?? storage.length]
    : [inner.size, inner.steps[0]!];
  if (axes.length > (gapless ? 2 : 1) || rowStep < columns) return "a target that is not rows";
  const sizes = [from.offset, offset, rows, columns, rowStep];
  storage.put(launcher.launch(replaceRows, storage.length, [storage.buffer, from.buffer, ...sizes]));
  return undefined;
};

export const copyKernels: GpuKernels = { copy };
