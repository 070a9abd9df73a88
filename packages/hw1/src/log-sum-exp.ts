import * as scalarMath from "@gpt2-ts/tensor/math";

/** log Σ e^x, without overflow; -Infinity for no values. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]!);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += scalarMath.exp(values[i]! - largest);
  return largest + scalarMath.log(sum);
}
