import type { CpuView, Kernel } from "../backend.ts";
import { forEachRow } from "./iterate.ts";

export interface SortParams {
  readonly descending: boolean;
}

export interface TopKParams {
  readonly k: number;
}

/** Each row of the last axis in order, and where its elements were: x, values, indices [..., N]. Equals keep their order. */
export const sortKernel: Kernel<SortParams> = (inputs, { descending }, outputs) => {
  sortRows(inputs[0]!, descending, outputs[0]!, outputs[1]!);
};

/** The k largest elements of each row, largest first, lower index first among equals: x [..., N], outputs [..., k]. */
export const topKKernel: Kernel<TopKParams> = (inputs, _, outputs) => {
  sortRows(inputs[0]!, true, outputs[0]!, outputs[1]!);
};

/** Sorts rows of x and stores as many elements as fit into the outputs. */
function sortRows(x: CpuView, descending: boolean, values: CpuView, indices: CpuView): void {
  const size = x.shape.at(-1)!;
  const xStep = x.strides.at(-1)!;
  forEachRow(values.shape, [x, values, indices], (at, length, step) => {
    const from = at[0]!;
    const order = Array.from({ length: size }, (_, j) => j);
    const direction = descending ? -1 : 1;
    // Array.prototype.sort is stable by specification (ES2019).
    order.sort((i, j) => direction * compare(x.data[from + i * xStep]!, x.data[from + j * xStep]!));
    for (let j = 0; j < length; j++) {
      values.data[at[1]! + j * step[1]!] = x.data[from + order[j]! * xStep]!;
      indices.data[at[2]! + j * step[2]!] = order[j]!;
    }
  });
}

/** Ascending; NaN counts as larger than every number, as in NumPy and PyTorch. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) ? -1 : a - b || 0;
}
