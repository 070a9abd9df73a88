import type { CpuView } from "../backend.ts";

/** Room for intermediate numbers of a kernel, rounded as its results are: an array of the kind that holds the operand's. */
export function roomLike({ data }: CpuView, length: number): Float32Array {
  const Numbers = data.constructor as Float32ArrayConstructor;
  return new Numbers(length);
}
