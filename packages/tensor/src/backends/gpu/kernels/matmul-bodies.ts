import type { KernelSpec } from "../kernel-spec.ts";

// What the kernels of matmul.ts do on a thread. `++` and the `- 1` before it tell GPU.js that an index is an integer, and
// loops are `while`: see axes.ts. GELU's tanh form is x / (1 + exp(-2u)) with u = √(2/π)·(x + 0.044715 x³); exp's argument
// is kept where no driver overflows.

const operands = [
  ...(["buffer", "int", "int", "int", "int"] as const), // a and its Operand, without x
  ...(["buffer", "int", "int", "int", "int", "int"] as const), // b and its Operand
  "int", // terms
  ...(["buffer", "int", "int"] as const), // bias, its start and step; any buffer where constants.bias is 0
] as const;

/** A thread for every number of the result. */
export const oneColumn: KernelSpec = {
  name: "matmul",
  arguments: operands,
  body(
    a: number[],
    aStart: number,
    aY: number,
    aZ: number,
    aK: number,
    b: number[],
    bStart: number,
    bX: number,
    bY: number,
    bZ: number,
    bK: number,
    terms: number,
    bias: number[],
    biasStart: number,
    biasX: number,
  ) {
    let i = 0;
    i += aStart + this.thread.y * aY + this.thread.z * aZ - 1;
    i++;
    let j = 0;
    j += bStart + this.thread.x * bX + this.thread.y * bY + this.thread.z * bZ - 1;
    j++;
    let sum = 0;
    let k = 0;
    while (k < terms - 3) {
      sum += a[i]! * b[j]!;
      i += aK;
      j += bK;
      sum += a[i]! * b[j]!;
      i += aK;
      j += bK;
      sum += a[i]! * b[j]!;
      i += aK;
      j += bK;
      sum += a[i]! * b[j]!;
      i += aK;
      j += bK;
      k += 4;
    }
    while (k < terms) {
      sum += a[i]! * b[j]!;
      i += aK;
      j += bK;
      k++;
    }
    const x = this.constants.bias > 0 ? sum + bias[biasStart + this.thread.x * biasX]! : sum;
    return this.constants.gelu > 0
      ? (x < -12 ? 0 : x) / (1 + Math.exp(Math.min(-1.5957691216057308 * (x + 0.044715 * x * x * x), 88)))
      : x;
  },
};

/** A thread for every four columns of a row; rows are as long as the threads make them. */
export const fourColumns: KernelSpec = {
  name: "matmul",
  components: 4,
  arguments: operands,
  body(
    a: number[],
    aStart: number,
    aY: number,
    aZ: number,
    aK: number,
    b: number[],
    bStart: number,
    bX: number,
    bY: number,
    bZ: number,
    bK: number,
    terms: number,
    bias: number[],
    biasStart: number,
    biasX: number,
  ) {
    let i = 0;
    i += aStart + this.thread.y * aY + this.thread.z * aZ - 1;
    i++;
    let j = 0;
    j += bStart + this.thread.x * 4 * bX + this.thread.y * bY + this.thread.z * bZ - 1;
    j++;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    let v = 0;
    let k = 0;
    while (k < terms - 3) {
      v = a[i]!;
      sum0 += v * b[j]!;
      sum1 += v * b[j + bX]!;
      sum2 += v * b[j + bX * 2]!;
      sum3 += v * b[j + bX * 3]!;
      i += aK;
      j += bK;
      v = a[i]!;
      sum0 += v * b[j]!;
      sum1 += v * b[j + bX]!;
      sum2 += v * b[j + bX * 2]!;
      sum3 += v * b[j + bX * 3]!;
      i += aK;
      j += bK;
      v = a[i]!;
      sum0 += v * b[j]!;
      sum1 += v * b[j + bX]!;
      sum2 += v * b[j + bX * 2]!;
      sum3 += v * b[j + bX * 3]!;
      i += aK;
      j += bK;
      v = a[i]!;
      sum0 += v * b[j]!;
      sum1 += v * b[j + bX]!;
      sum2 += v * b[j + bX * 2]!;
      sum3 += v * b[j + bX * 3]!;
      i += aK;
      j += bK;
      k += 4;
    }
    while (k < terms) {
      v = a[i]!;
      sum0 += v * b[j]!;
      sum1 += v * b[j + bX]!;
      sum2 += v * b[j + bX * 2]!;
      sum3 += v * b[j + bX * 3]!;
      i += aK;
      j += bK;
      k++;
    }
    const hasBias = this.constants.bias > 0;
    const x0 = hasBias ? sum0 + bias[biasStart + this.thread.x * 4 * biasX]! : sum0;
    const x1 = hasBias ? sum1 + bias[biasStart + (this.thread.x * 4 + 1) * biasX]! : sum1;
    const x2 = hasBias ? sum2 + bias[biasStart + (this.thread.x * 4 + 2) * biasX]! : sum2;
    const x3 = hasBias ? sum3 + bias[biasStart + (this.thread.x * 4 + 3) * biasX]! : sum3;
    const c = -1.5957691216057308;
    const y0 =
      this.constants.gelu > 0
        ? (x0 < -12 ? 0 : x0) / (1 + Math.exp(Math.min(c * (x0 + 0.044715 * x0 * x0 * x0), 88)))
        : x0;
    const y1 =
      this.constants.gelu > 0
        ? (x1 < -12 ? 0 : x1) / (1 + Math.exp(Math.min(c * (x1 + 0.044715 * x1 * x1 * x1), 88)))
        : x1;
    const y2 =
      this.constants.gelu > 0
        ? (x2 < -12 ? 0 : x2) / (1 + Math.exp(Math.min(c * (x2 + 0.044715 * x2 * x2 * x2), 88)))
        : x2;
    const y3 =
      this.constants.gelu > 0
        ? (x3 < -12 ? 0 : x3) / (1 + Math.exp(Math.min(c * (x3 + 0.044715 * x3 * x3 * x3), 88)))
        : x3;
    return [y0, y1, y2, y3];
  },
};

/** Rows of `step` elements, of which the first come over: what is left when rows were made longer than they are. */
export const firstColumns: KernelSpec = {
  name: "columns of matmul",
  arguments: ["buffer", "int", "int"],
  body(padded: number[], step: number, rows: number) {
    return padded[(this.thread.z * rows + this.thread.y) * step + this.thread.x]!;
  },
};

/** Rows of parts, summed. */
export const sumOfParts: KernelSpec = {
  name: "sums of matmul",
  arguments: ["buffer", "int", "int", "buffer", "int", "int"],
  // rows of `step` elements, `count` of them, summed
  body(parts: number[], count: number, step: number, bias: number[], biasStart: number, biasX: number) {
    let i = 0;
    i += this.thread.x - 1;
    i++;
    let sum = 0;
    let k = 0;
    while (k < count) {
      sum += parts[i]!;
      i += step;
      k++;
    }
    const x = this.constants.bias > 0 ? sum + bias[biasStart + this.thread.x * biasX]! : sum;
    return this.constants.gelu > 0
      ? (x < -12 ? 0 : x) / (1 + Math.exp(Math.min(-1.5957691216057308 * (x + 0.044715 * x * x * x), 88)))
      : x;
  },
};
