import type { DataOf } from "../../dtype.ts";
import type { CpuView, Kernel } from "../backend.ts";
import { forEachRow } from "./iterate.ts";

type Numbers = DataOf["float32" | "int32" | "uint8"];

/** out[i] = f(x[i]); for an int32 operand, `ofInt` replaces `f`. */
export function unaryKernel(f: (x: number) => number, ofInt: (x: number) => number = f): Kernel<undefined> {
  return (inputs, _, outputs) => mapOne(inputs[0]!.dtype === "int32" ? ofInt : f, inputs[0]!, outputs[0]!);
}

/** out[i] = f(a[i], b[i]); for int32 operands, `ofInt` replaces `f`. */
export function binaryKernel(
  f: (a: number, b: number) => number,
  ofInt: (a: number, b: number) => number = f,
): Kernel<undefined> {
  return (inputs, _, outputs) => {
    const a = inputs[0]!;
    const b = inputs[1]!;
    const out = outputs[0]!;
    const x: Numbers = a.data;
    const y: Numbers = b.data;
    const z: Numbers = out.data;
    const g = a.dtype === "int32" ? ofInt : f;
    forEachRow(out.shape, [a, b, out], (at, length, step) => {
      let i = at[0]!;
      let j = at[1]!;
      let k = at[2]!;
      for (let c = 0; c < length; c++) {
        z[k] = g(x[i]!, y[j]!);
        i += step[0]!;
        j += step[1]!;
        k += step[2]!;
      }
    });
  };
}

/** out[i] = condition[i] ? a[i] : b[i] */
export const whereKernel: Kernel<undefined> = (inputs, _, outputs) => {
  const condition = inputs[0]!;
  const a = inputs[1]!;
  const b = inputs[2]!;
  const out = outputs[0]!;
  forEachRow(out.shape, [condition, a, b, out], (at, length, step) => {
    for (let c = 0; c < length; c++) {
      const holds = condition.data[at[0]! + c * step[0]!] !== 0;
      out.data[at[3]! + c * step[3]!] = holds ? a.data[at[1]! + c * step[1]!]! : b.data[at[2]! + c * step[2]!]!;
    }
  });
};

/** out[i] = x[i], whatever the strides of either. */
export const copyKernel: Kernel<undefined> = (inputs, _, outputs) => mapOne((x) => x, inputs[0]!, outputs[0]!);

/**
 * out[i] = x[i] in the type of `out`. Integers become the nearest float32; a float32 loses its fraction and is clamped to
 * the integer type (NaN becomes 0); int32 keeps its low 8 bits in uint8; everything but zero is true.
 */
export const castKernel: Kernel<{ readonly dtype: CpuView["dtype"] }> = (inputs, { dtype }, outputs) => {
  const x = inputs[0]!;
  let convert = (value: number): number => value;
  if (dtype === "bool") convert = (value) => (value !== 0 ? 1 : 0);
  else if (x.dtype === "float32" && dtype === "int32") convert = (value) => clamped(value, -(2 ** 31), 2 ** 31 - 1);
  else if (x.dtype === "float32" && dtype === "uint8") convert = (value) => clamped(value, 0, 255);
  mapOne(convert, x, outputs[0]!);
};

/** `value` without its fraction, within bounds. Integer arrays store NaN as 0. */
function clamped(value: number, least: number, most: number): number {
  return Math.trunc(Math.min(Math.max(value, least), most));
}

function mapOne(f: (x: number) => number, x: CpuView, out: CpuView): void {
  const from: Numbers = x.data;
  const to: Numbers = out.data;
  forEachRow(out.shape, [x, out], (at, length, step) => {
    let i = at[0]!;
    let o = at[1]!;
    for (let c = 0; c < length; c++) {
      to[o] = f(from[i]!);
      i += step[0]!;
      o += step[1]!;
    }
  });
}
