import { byteSize } from "../../../dtype.ts";
import type { ConcatParams } from "../../reference/rearrange.ts";
import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

/** concat: each operand is copied to its place in the output. */
const concat: WasmKernel<ConcatParams> = (runtime, inputs, { axis }, [out]) => {
  if (inputs.some(isPacked)) return "packed matrix";
  let target = runtime.pointer(out!);
  for (const x of inputs) {
    runtime.copy(x, target, out!.strides);
    target += x.shape[axis]! * out!.strides[axis]! * byteSize(out!.dtype);
  }
  return undefined;
};

export const rearrangeKernels: WasmKernels = { concat };
