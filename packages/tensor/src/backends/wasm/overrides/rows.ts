import { byteSize } from "../../../dtype.ts";
import { sizeOf } from "../../../shape.ts";
import type { Job, WasmRuntime } from "../runtime.ts";
import { isPacked, type WasmView } from "../storage.ts";
import type { WasmKernel } from "./kernel.ts";

/** Elements that are worth a chunk of their own where rows become rows. */
export const ROW_CHUNK = 8192;

/** An operand as rows that lie without gaps, evenly spaced. */
export interface Rows {
  readonly address: number;
  /** Bytes from one row to the next. */
  readonly step: number;
  readonly count: number;
  /** Elements of a row. */
  readonly length: number;
}

/** The last `axes` axes of a view as rows: in its own memory, or in a temporary copy if they are spread unevenly. */
export function rowsOf(runtime: WasmRuntime, view: WasmView, axes = 1): Rows {
  const { shape, strides } = view;
  const lead = shape.length - axes;
  const length = sizeOf(shape.slice(lead));
  const count = sizeOf(shape.slice(0, lead));
  const bytes = byteSize(view.dtype);
  if (length === 0 || count === 0) return { address: 0, step: 0, count, length };
  const within = spacing(shape.slice(lead), strides.slice(lead));
  const between = spacing(shape.slice(0, lead), strides.slice(0, lead));
  if ((length === 1 || within === 1) && between !== undefined) {
    return { address: runtime.pointer(view), step: between * bytes, count, length };
  }
  return { address: runtime.contiguous(view), step: length * bytes, count, length };
}

/** Elements between neighbours when these axes are read in order; undefined if that is uneven. 0 for one element. */
function spacing(shape: readonly number[], strides: readonly number[]): number | undefined {
  let step: number | undefined;
  let expected = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    if (size === 1) continue;
    if (step === undefined) step = strides[axis]!;
    else if (strides[axis] !== expected) return undefined;
    expected = strides[axis]! * size;
  }
  return step ?? 0;
}

/** An op that turns each row of the last axis into another. */
export function alongRows(job: Job): WasmKernel<undefined> {
  return (runtime, [x], _params, [out]) => {
    if (isPacked(x!)) return "packed matrix";
    if (x!.dtype !== "float32") return x!.dtype;
    const { address, step, count, length } = rowsOf(runtime, x!);
    if (count * length === 0) return undefined;
    const chunks = Math.min(count, runtime.chunks(count * length, ROW_CHUNK));
    runtime.run(job, chunks, [address, step, runtime.pointer(out!), count, length]);
    return undefined;
  };
}
