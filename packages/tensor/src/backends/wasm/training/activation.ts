import { sizeOf } from "../../../shape.ts";
import type { ActivationBackwardParams, ActivationName } from "../../reference/backward/activation.ts";
import * as abi from "../abi.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { isPacked } from "../storage.ts";
import { runTraining } from "./run.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 4096;

const numbers: Readonly<Record<ActivationName, number>> = {
  gelu: abi.UNARY_GELU,
  geluExact: abi.UNARY_GELU_EXACT,
  quickGelu: abi.UNARY_QUICK_GELU,
  relu: abi.UNARY_RELU,
  sigmoid: abi.UNARY_SIGMOID,
  silu: abi.UNARY_SILU,
  tanh: abi.UNARY_TANH,
};

export const activationBackward: WasmKernel<ActivationBackwardParams> = (runtime, [x, dy], { activation }, [dx]) => {
  if (isPacked(x!) || isPacked(dy!)) return "packed matrix";
  const size = sizeOf(dx!.shape);
  if (size === 0) return undefined;
  const ints = [runtime.contiguous(x!), runtime.contiguous(dy!), runtime.pointer(dx!), size, numbers[activation]];
  runTraining(runtime, "activationBackwardJob", runtime.chunks(size, CHUNK), ints);
  return undefined;
};
