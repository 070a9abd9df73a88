import { isContiguous, sizeOf } from "../../../shape.ts";
import { forEachIndex } from "../../reference/iterate.ts";
import type { DeviceBuffer } from "../device-buffer.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { Launcher } from "../launcher.ts";
import type { GpuView } from "../storage.ts";
import { collapse } from "./axes.ts";

/** Elements that lie row-major without gaps from `offset` on. */
export interface Operand {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
}

/** An operand as rows without gaps, evenly spaced. */
export interface Rows extends Operand {
  /** Elements from the start of one row to the next. */
  readonly step: number;
  readonly count: number;
  /** Elements of a row. */
  readonly length: number;
}

/** Axes of a strided operand that copies take, after neighbours that are evenly spaced became one. */
const MOST_AXES = 4;

/** Why kernels do not take these operands, if so. */
export function refusal(launcher: Launcher, operands: readonly GpuView[]): string | undefined {
  for (const { storage, dtype, shape, strides } of operands) {
    // The device holds floats, where int32 is exact up to 2²⁴ only: welcome as indices, but not to be computed with.
    if (dtype === "int32") return dtype;
    if (collapse(shape, [strides]).length > MOST_AXES) return `more than ${MOST_AXES} axes apart`;
    const most = exactIndices(launcher);
    if (storage.length > most || sizeOf(shape) > most) return `more than ${most} elements`;
  }
  return undefined;
}

/**
 * Elements that kernels count without error. In mode webasm GPU.js (2.24) makes floats of all variables after all: it
 * translates a kernel twice, and takes a literal for an integer only the first time. Expressions of arguments, thread
 * numbers and `>> 0` are exact there too.
 */
export function exactIndices({ runtime }: Launcher): number {
  return runtime.mode === "webasm" ? 2 ** 24 : Number.POSITIVE_INFINITY;
}

/**
 * Why kernels do not take these indices (int32) below `size`, if so. They are looked at where the CPU has them; what came
 * to be on the device is clamped there.
 */
export function indexRefusal({ storage, shape, strides, offset }: GpuView, size: number): string | undefined {
  if (collapse(shape, [strides]).length > MOST_AXES) return `more than ${MOST_AXES} axes apart`;
  const host = storage.hosted?.storage;
  if (!host) return undefined;
  const indices = host.backend.readSync(host);
  let outside = false;
  forEachIndex(shape, [{ offset, strides }], ([at]) => {
    if (indices[at!]! < 0 || indices[at!]! >= size) outside = true;
  });
  return outside ? "index out of range" : undefined;
}

const spacedRows: KernelSpec = {
  name: "copy of rows",
  arguments: ["buffer", "int", "int", "int", "int"],
  body(x: number[], columns: number, offset: number, rowStep: number, columnStep: number) {
    let row = 0;
    row = Math.floor(this.thread.x / columns) >> 0;
    if (row * columns > this.thread.x) row--;
    if (this.thread.x - row * columns >= columns) row++;
    return x[offset + row * rowStep + (this.thread.x - row * columns) * columnStep]!;
  },
};

const spacedAxes: KernelSpec = {
  name: "copy of axes",
  arguments: ["buffer", "int", "int", "int", "int", "int", "int", "int", "int"],
  // x [?, n1, n2, n3], its steps along these axes s0 to s3
  body(
    x: number[],
    n1: number,
    n2: number,
    n3: number,
    offset: number,
    s0: number,
    s1: number,
    s2: number,
    s3: number,
  ) {
    let row = 0; // of n3 elements
    row = Math.floor(this.thread.x / n3) >> 0;
    if (row * n3 > this.thread.x) row--;
    if (this.thread.x - row * n3 >= n3) row++;
    let plane = 0; // of n2 rows
    plane = Math.floor(row / n2) >> 0;
    if (plane * n2 > row) plane--;
    if (row - plane * n2 >= n2) plane++;
    let block = 0; // of n1 planes
    block = Math.floor(plane / n1) >> 0;
    if (block * n1 > plane) block--;
    if (plane - block * n1 >= n1) block++;
    return x[
      offset + block * s0 + (plane - block * n1) * s1 + (row - plane * n2) * s2 + (this.thread.x - row * n3) * s3
    ]!;
  },
};

/** A new buffer with the elements of a view (of at least one, and none that {@link refusal} minds) in row-major order. */
export function copied(launcher: Launcher, { storage, shape, strides, offset }: GpuView): DeviceBuffer {
  const axes = collapse(shape, [strides]);
  const size = sizeOf(shape);
  if (axes.length <= 2) {
    const [outer, inner] = axes.length === 2 ? axes : [undefined, axes[0]];
    const steps = [inner!.size, offset, outer?.steps[0] ?? 0, inner!.steps[0]!];
    return launcher.launch(spacedRows, size, [storage.buffer, ...steps]);
  }
  const [block, plane, row, column] = axes.length === 4 ? axes : [undefined, ...axes];
  const sizes = [plane!, row!, column!].map((axis) => axis.size);
  const steps = [block, plane, row, column].map((axis) => axis?.steps[0] ?? 0);
  return launcher.launch(spacedAxes, size, [storage.buffer, ...sizes, offset, ...steps]);
}

/** A view's elements in row-major order: where they are, or in a copy that lives as long as the op. */
export function contiguous(launcher: Launcher, view: GpuView): Operand {
  if (isContiguous(view.shape, view.strides)) return { buffer: view.storage.buffer, offset: view.offset };
  return { buffer: launcher.scratch(copied(launcher, view)), offset: 0 };
}

/** The last `axes` axes of a view as rows: where they are, or in a copy if they are spread unevenly. */
export function rowsOf(launcher: Launcher, view: GpuView, axes = 1): Rows {
  const { shape, strides, storage, offset } = view;
  const lead = shape.length - axes;
  const count = sizeOf(shape.slice(0, lead));
  const length = sizeOf(shape.slice(lead));
  const between = collapse(shape.slice(0, lead), [strides.slice(0, lead)]);
  if (isContiguous(shape.slice(lead), strides.slice(lead)) && between.length === 1) {
    return { buffer: storage.buffer, offset, step: between[0]!.steps[0]!, count, length };
  }
  return { ...contiguous(launcher, view), step: length, count, length };
}
