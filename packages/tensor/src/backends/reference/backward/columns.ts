import type { CpuView, Kernel } from "../../backend.ts";
import { forEachRow } from "../iterate.ts";

/** out[c] = Σ x[…, c] over all rows: x [..., N], out [N]. The gradient of a bias. */
export const columnSumsKernel: Kernel<undefined> = ([x], _, [out]) => {
  const sums = new Float64Array(out!.shape[0]!);
  forEachRow(x!.shape, [x!], (at, length, step) => {
    for (let c = 0; c < length; c++) sums[c] = sums[c]! + x!.data[at[0]! + c * step[0]!]!;
  });
  storeVector(sums, out!);
};

/** out = values, for a vector [N]. */
export function storeVector(values: Float64Array, out: CpuView): void {
  for (let c = 0; c < values.length; c++) out.data[out.offset + c * out.strides[0]!] = values[c]!;
}
