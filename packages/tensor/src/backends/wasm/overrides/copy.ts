import { isPacked } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

/** copy: strided view → contiguous, or into a strided destination. */
const copy: WasmKernel<undefined> = (runtime, [source], _params, [target]) => {
  if (isPacked(source!) || isPacked(target!)) return "packed matrix";
  runtime.copy(source!, runtime.pointer(target!), target!.strides);
  return undefined;
};

export const copyKernels: WasmKernels = { copy };
