import { sizeOf } from "../../../shape.ts";
import type { ConcatParams, TriangleParams } from "../../reference/rearrange.ts";
import type { DeviceBuffer } from "../device-buffer.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { Launcher } from "../launcher.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { contiguous, copied, type Operand, refusal } from "./operands.ts";

const sideBySide: KernelSpec = {
  name: "concat",
  arguments: ["buffer", "buffer", "int", "int", "int", "int"],
  // a [rows, m], b [rows, n] → [rows, m + n]
  body(a: number[], b: number[], m: number, n: number, aOffset: number, bOffset: number) {
    let row = 0;
    row = Math.floor(this.thread.x / (m + n)) >> 0;
    if (row * (m + n) > this.thread.x) row--;
    if (this.thread.x - row * (m + n) >= m + n) row++;
    if (this.thread.x - row * (m + n) < m) return a[aOffset + row * m + (this.thread.x - row * (m + n))]!;
    return b[bOffset + row * n + (this.thread.x - row * (m + n) - m)]!;
  },
};

const triangle: KernelSpec = {
  name: "tril, triu",
  arguments: ["buffer", "int", "int", "int", "int"],
  // x [?, rows, columns]; constants.op is −1 for what is not above the diagonal, 1 for what is not below it
  body(x: number[], offset: number, rows: number, columns: number, diagonal: number) {
    let row = 0;
    row = Math.floor(this.thread.x / columns) >> 0;
    if (row * columns > this.thread.x) row--;
    if (this.thread.x - row * columns >= columns) row++;
    let matrix = 0;
    matrix = Math.floor(row / rows) >> 0;
    if (matrix * rows > row) matrix--;
    if (row - matrix * rows >= rows) matrix++;
    if (this.constants.op * (this.thread.x - row * columns - (row - matrix * rows) - diagonal) < 0) return 0;
    return x[offset + this.thread.x]!;
  },
};

/** concat: operands join the result one after the other. */
const concat: GpuKernel<ConcatParams> = (launcher, inputs, { axis }, [out]) => {
  const reason = refusal(launcher, inputs);
  if (reason !== undefined) return reason;
  const parts = inputs.filter(({ shape }) => sizeOf(shape) > 0);
  if (parts.length === 1) {
    out!.storage.put(copied(launcher, parts[0]!));
    return undefined;
  }
  const count = sizeOf(out!.shape.slice(0, axis));
  const rows = parts.map((x) => ({ ...contiguous(launcher, x), length: sizeOf(x.shape) / count }));
  out!.storage.put(joined(launcher, rows, count));
  return undefined;
};

/** A new buffer of `count` rows, each of them the rows of several parts (at least two) one after the other. */
export function joined(
  launcher: Launcher,
  parts: readonly (Operand & { readonly length: number })[],
  count: number,
): DeviceBuffer {
  let [{ buffer, offset, length }] = parts as [Operand & { readonly length: number }];
  for (const [i, next] of parts.entries()) {
    if (i === 0) continue;
    const sizes = [length, next.length, offset, next.offset];
    length += next.length;
    offset = 0;
    buffer = launcher.launch(sideBySide, count * length, [buffer, next.buffer, ...sizes]);
    if (i < parts.length - 1) launcher.scratch(buffer);
  }
  return buffer;
}

export const rearrangeKernels: GpuKernels = { concat, tril: keeping(-1), triu: keeping(1) };

function keeping(keep: 1 | -1): GpuKernel<TriangleParams> {
  const spec = { ...triangle, constants: { op: keep } };
  return (launcher, [x], { diagonal }, [out]) => {
    const reason = refusal(launcher, [x!]);
    if (reason !== undefined) return reason;
    const [rows, columns] = x!.shape.slice(-2) as [number, number];
    const { buffer, offset } = contiguous(launcher, x!);
    out!.storage.put(launcher.launch(spec, sizeOf(x!.shape), [buffer, offset, rows, columns, diagonal]));
    return undefined;
  };
}
