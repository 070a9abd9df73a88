import { ShapeMismatchError } from "../../errors.ts";
import type { Kernel } from "../backend.ts";
import { forEachRow } from "./iterate.ts";

/** out[…, j] = x[…, indices[…, j]]: x [..., N], indices and out [..., J]. */
export const gatherKernel: Kernel<undefined> = (inputs, _, outputs) => {
  const x = inputs[0]!;
  const indices = inputs[1]!;
  const out = outputs[0]!;
  const size = x.shape.at(-1)!;
  const xStep = x.strides.at(-1)!;
  forEachRow(out.shape, [x, indices, out], (at, length, step) => {
    for (let j = 0; j < length; j++) {
      const index = checkedIndex("gather", indices.data[at[1]! + j * step[1]!]!, size);
      out.data[at[2]! + j * step[2]!] = x.data[at[0]! + index * xStep]!;
    }
  });
};

/** out = x, then out[…, indices[…, j]] = src[…, j] for ascending j: x and out [..., N], indices and src [..., J]. */
export const scatterKernel: Kernel<undefined> = /* @__PURE__ */ scatterWith("scatter", (_, added) => added);

/** out = x, then out[…, indices[…, j]] += src[…, j]. */
export const scatterAddKernel: Kernel<undefined> = /* @__PURE__ */ scatterWith(
  "scatterAdd",
  (sofar, added) => sofar + added,
);

function scatterWith(op: string, combine: (sofar: number, added: number) => number): Kernel<undefined> {
  return (inputs, _, outputs) => {
    const x = inputs[0]!;
    const indices = inputs[1]!;
    const src = inputs[2]!;
    const out = outputs[0]!;
    const count = indices.shape.at(-1)!;
    const indexStep = indices.strides.at(-1)!;
    const srcStep = src.strides.at(-1)!;
    const row = new Float64Array(x.shape.at(-1)!);
    forEachRow(out.shape, [x, indices, src, out], (at, length, step) => {
      for (let c = 0; c < length; c++) row[c] = x.data[at[0]! + c * step[0]!]!;
      for (let j = 0; j < count; j++) {
        const index = checkedIndex(op, indices.data[at[1]! + j * indexStep]!, length);
        row[index] = combine(row[index]!, src.data[at[2]! + j * srcStep]!);
      }
      for (let c = 0; c < length; c++) out.data[at[3]! + c * step[3]!] = row[c]!;
    });
  };
}

/** @throws ShapeMismatchError for an index outside an axis */
export function checkedIndex(op: string, index: number, size: number): number {
  if (index >= 0 && index < size) return index;
  throw new ShapeMismatchError(op, `index ${index} is outside an axis of size ${size}`);
}
