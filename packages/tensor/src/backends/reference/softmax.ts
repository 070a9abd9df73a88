import type { Kernel } from "../backend.ts";
import { forEachRow } from "./iterate.ts";
import { exp, log } from "./math.ts";

/** out[j] = e^(x[j] − m) / Σₖ e^(x[k] − m) along the last axis, m = maxₖ x[k]. */
export const softmaxKernel: Kernel<undefined> = /* @__PURE__ */ alongRows((row) => {
  softmaxInPlace(row);
});

/** out[j] = x[j] − m − log Σₖ e^(x[k] − m) along the last axis, m = maxₖ x[k]. */
export const logSoftmaxKernel: Kernel<undefined> = /* @__PURE__ */ alongRows((row) => {
  const { largest, logSum } = logNormalizer(row);
  for (let j = 0; j < row.length; j++) row[j] = row[j]! - largest - logSum;
});

/** m = maxₖ x[k] and log Σₖ e^(x[k] − m): what log-probabilities take off their scores. */
export function logNormalizer(row: Float64Array): { readonly largest: number; readonly logSum: number } {
  const largest = largestOf(row);
  let sum = 0;
  for (const x of row) sum += exp(x - largest);
  return { largest, logSum: log(sum) };
}

/** Replaces scores by their softmax. A row of nothing but −∞ gives NaN, because it has no largest score. */
export function softmaxInPlace(row: Float64Array): void {
  const largest = largestOf(row);
  let sum = 0;
  for (let j = 0; j < row.length; j++) {
    const e = exp(row[j]! - largest);
    row[j] = e;
    sum += e;
  }
  for (let j = 0; j < row.length; j++) row[j] = row[j]! / sum;
}

function largestOf(row: Float64Array): number {
  let largest = -Infinity;
  for (const x of row) largest = Math.max(largest, x);
  return largest;
}

/** A kernel that reads each row into float64, changes it there and stores it. */
function alongRows(change: (row: Float64Array) => void): Kernel<undefined> {
  return (inputs, _, outputs) => {
    const x = inputs[0]!;
    const out = outputs[0]!;
    const row = new Float64Array(out.shape.at(-1) ?? 1);
    forEachRow(out.shape, [x, out], (at, length, step) => {
      for (let j = 0; j < length; j++) row[j] = x.data[at[0]! + j * step[0]!]!;
      change(row);
      for (let j = 0; j < length; j++) out.data[at[1]! + j * step[1]!] = row[j]!;
    });
  };
}
