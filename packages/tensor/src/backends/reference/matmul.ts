import type { Kernel } from "../backend.ts";
import { integersOf, multiplyIntegers } from "./integer-product.ts";
import { forEachIndex } from "./iterate.ts";
import { geluTanh } from "./math.ts";
import { type Matrix, matrix } from "./matrix.ts";

/** What a linear layer applies to its sums before storing them. */
export interface LinearParams {
  readonly activation: "none" | "gelu";
}

/** out[…, i, j] = Σₖ a[…, i, k]·b[…, k, j]: a [..., M, K], b [..., K, N], out [..., M, N]. */
export const matmulKernel: Kernel<undefined> = (inputs, _, outputs) => {
  const a = inputs[0]!;
  const b = inputs[1]!;
  const out = outputs[0]!;
  const integers = integersOf(b);
  forEachIndex(out.shape.slice(0, -2), [a, b, out], (at) => {
    const [left, result] = [matrix(a, at[0]!), matrix(out, at[2]!)];
    if (integers) multiplyIntegers(left, integers, result, (sum) => sum);
    else multiply(left, matrix(b, at[1]!), result, (sum) => sum);
  });
};

/** out[i, j] = f(Σₖ x[i, k]·w[k, j] + bias[j]): x [M, K], w [K, N], bias [N] or none, out [M, N]. */
export const linearKernel: Kernel<LinearParams> = (inputs, { activation }, outputs) => {
  const x = inputs[0]!;
  const w = inputs[1]!;
  const bias = inputs[2];
  const out = outputs[0]!;
  const biasAt = (j: number) => (bias ? bias.data[bias.offset + j * bias.strides[0]!]! : 0);
  const finish =
    activation === "gelu"
      ? (sum: number, j: number) => geluTanh(sum + biasAt(j))
      : (sum: number, j: number) => sum + biasAt(j);
  const integers = integersOf(w);
  const [left, result] = [matrix(x, x.offset), matrix(out, out.offset)];
  if (integers) multiplyIntegers(left, integers, result, finish);
  else multiply(left, matrix(w, w.offset), result, finish);
};

/** Columns of B that are summed at the same time: independent sums keep a processor's adders busy. */
const PANEL = 8;

/** out = finish(a·b). Each sum runs over k in ascending order, in float64. */
function multiply(a: Matrix, b: Matrix, out: Matrix, finish: (sum: number, column: number) => number): void {
  const { rows: K, columns: N } = b;
  // PANEL columns of B, as float64, row by row (past the last column, numbers that are not stored).
  const panel = new Float64Array(K * PANEL);
  const sums = new Float64Array(PANEL);
  for (let j = 0; j < N; j += PANEL) {
    const width = Math.min(PANEL, N - j);
    for (let k = 0; k < K; k++) {
      const from = b.start + k * b.rowStep + j * b.columnStep;
      for (let c = 0; c < width; c++) panel[k * PANEL + c] = b.data[from + c * b.columnStep]!;
    }
    for (let i = 0; i < a.rows; i++) {
      addProducts(a.data, a.start + i * a.rowStep, a.columnStep, panel, K, sums);
      const to = out.start + i * out.rowStep + j * out.columnStep;
      for (let c = 0; c < width; c++) out.data[to + c * out.columnStep] = finish(sums[c]!, j + c);
    }
  }
}

/** sums[c] = Σₖ a[start + k·step]·panel[8k + c] */
function addProducts(
  a: Float32Array,
  start: number,
  step: number,
  panel: Float64Array,
  K: number,
  sums: Float64Array,
): void {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let sum4 = 0;
  let sum5 = 0;
  let sum6 = 0;
  let sum7 = 0;
  for (let k = 0, i = start, p = 0; k < K; k++, i += step, p += PANEL) {
    const x = a[i]!;
    sum0 += x * panel[p]!;
    sum1 += x * panel[p + 1]!;
    sum2 += x * panel[p + 2]!;
    sum3 += x * panel[p + 3]!;
    sum4 += x * panel[p + 4]!;
    sum5 += x * panel[p + 5]!;
    sum6 += x * panel[p + 6]!;
    sum7 += x * panel[p + 7]!;
  }
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
  sums[4] = sum4;
  sums[5] = sum5;
  sums[6] = sum6;
  sums[7] = sum7;
}
