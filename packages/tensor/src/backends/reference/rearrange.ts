import type { Kernel } from "../backend.ts";
import { forEachIndex, forEachRow } from "./iterate.ts";

export interface ConcatParams {
  readonly axis: number;
}

/** The inputs one after the other along `axis`, on which alone their shapes differ. */
export const concatKernel: Kernel<ConcatParams> = (inputs, { axis }, outputs) => {
  const out = outputs[0]!;
  let offset = out.offset;
  for (const x of inputs) {
    forEachRow(x.shape, [x, { offset, strides: out.strides }], (at, length, step) => {
      for (let c = 0; c < length; c++) out.data[at[1]! + c * step[1]!] = x.data[at[0]! + c * step[0]!]!;
    });
    offset += x.shape[axis]! * out.strides[axis]!;
  }
};

export interface TriangleParams {
  /** 0 is the main diagonal, positive numbers lie above it. */
  readonly diagonal: number;
}

/** out[…, i, j] = x[…, i, j] where j − i ≤ diagonal, else 0. */
export const trilKernel: Kernel<TriangleParams> = /* @__PURE__ */ triangleKernel((above) => above <= 0);

/** out[…, i, j] = x[…, i, j] where j − i ≥ diagonal, else 0. */
export const triuKernel: Kernel<TriangleParams> = /* @__PURE__ */ triangleKernel((above) => above >= 0);

/** Keeps the elements whose distance above the diagonal, j − i − diagonal, `keeps` accepts. */
function triangleKernel(keeps: (above: number) => boolean): Kernel<TriangleParams> {
  return (inputs, { diagonal }, outputs) => {
    const x = inputs[0]!;
    const out = outputs[0]!;
    const rank = out.shape.length;
    const rows = out.shape[rank - 2]!;
    const columns = out.shape[rank - 1]!;
    forEachIndex(out.shape.slice(0, -2), [x, out], (at) => {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const value = x.data[at[0]! + i * x.strides[rank - 2]! + j * x.strides[rank - 1]!]!;
          out.data[at[1]! + i * columns + j] = keeps(j - i - diagonal) ? value : 0;
        }
      }
    });
  };
}
