// Products with a matrix of integers and scales, as docs/quantization.md defines them: the same bits on every device.
import { INT8_ACTIVATION_MOST, INT8_NEGLIGIBLE } from "../../encodings/int8-scheme.ts";
import type { CpuView, PackedMatrix } from "../backend.ts";
import type { Matrix } from "./matrix.ts";

/** A packed matrix that keeps its integers beside its elements. */
export interface IntegerMatrix extends PackedMatrix {
  /** Rows that share a scale. */
  readonly group: number;
  /** [rows, columns] */
  readonly integers: Int8Array;
  /** [rows / group, columns], rounded up */
  readonly scales: Float32Array;
}

/** The integers of a view of float32, if it is the whole of such a matrix, broadcast or not. */
export function integersOf({ storage, shape, strides, offset }: CpuView): IntegerMatrix | undefined {
  const { packed } = storage;
  if (packed === undefined || !("integers" in packed)) return undefined;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const [rowStride, columnStride] = strides.slice(-2) as [number, number];
  const whole =
    offset === 0 &&
    rows === packed.rows &&
    columns === packed.columns &&
    (columnStride === 1 || columns === 1) &&
    (rowStride === columns || rows === 1) &&
    shape.slice(0, -2).every((dim, axis) => dim === 1 || strides[axis] === 0);
  return whole ? (packed as IntegerMatrix) : undefined;
}

/**
 * out = finish(a·b). The rows of a are quantized, group by group; the sum over a group is of integers and exact, and is scaled
 * and added to those before it in float32, each step rounded by itself.
 */
export function multiplyIntegers(
  a: Matrix,
  { rows: K, columns: N, group, integers, scales }: IntegerMatrix,
  out: Matrix,
  finish: (sum: number, column: number) => number,
): void {
  const row = new Float32Array(K);
  const words = new Int32Array(group);
  const sums = new Int32Array(N);
  const totals = new Float32Array(N);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < K; k++) row[k] = a.data[a.start + i * a.rowStep + k * a.columnStep]!;
    totals.fill(0);
    for (let first = 0, place = 0; first < K; first += group, place += N) {
      const values = row.subarray(first, first + group);
      const rowScale = quantizeGroup(values, words);
      sums.fill(0);
      for (let k = 0; k < values.length; k++) {
        const from = (first + k) * N;
        for (let j = 0; j < N; j++) sums[j]! += words[k]! * integers[from + j]!;
      }
      for (let j = 0; j < N; j++) {
        totals[j]! += Math.fround(sums[j]! * Math.fround(scales[place + j]! * rowScale));
      }
    }
    for (let j = 0; j < N; j++) {
      out.data[out.start + i * out.rowStep + j * out.columnStep] = finish(totals[j]!, j);
    }
  }
}

/**
 * Writes values as integers from 0 to 255, less the one that stands for zero, and returns the scale that takes them back; NaN if
 * a value is not finite.
 */
function quantizeGroup(values: Float32Array, integers: Int32Array): number {
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  const scale = Math.fround(Math.fround(most / INT8_ACTIVATION_MOST) - Math.fround(least / INT8_ACTIVATION_MOST));
  if (scale < INT8_NEGLIGIBLE) {
    integers.fill(0, 0, values.length);
    return 0;
  }
  const inverse = Math.fround(1 / scale);
  const zero = nearest(Math.fround(-least * inverse));
  for (let i = 0; i < values.length; i++) {
    integers[i] = Math.min(nearest(Math.fround(values[i]! * inverse)), INT8_ACTIVATION_MOST - zero);
  }
  return scale < Infinity ? scale : Number.NaN;
}

/** To the nearest integer, ties to even: what is added leaves no bits for a fraction. */
function nearest(x: number): number {
  return x + ROUND - ROUND;
}

const ROUND = 1.5 * 2 ** 52;
