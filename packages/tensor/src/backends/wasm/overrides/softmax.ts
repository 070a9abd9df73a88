import type { WasmKernels } from "./kernel.ts";
import { alongRows } from "./rows.ts";

export const softmaxKernels: WasmKernels = { softmax: alongRows("softmaxJob"), logSoftmax: alongRows("logSoftmaxJob") };
