import type { LinearParams } from "../../reference/matmul.ts";
import { elementwiseKernels } from "../overrides/elementwise.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { linear } from "../overrides/matmul.ts";

const gelu = elementwiseKernels["gelu"] as WasmKernel<undefined>;

/** GELU as an op of its own has the bits that it has as a part of `linear`. */
export const linearWithSums: WasmKernel<LinearParams> = (runtime, inputs, { activation }, [y, z]) =>
  linear(runtime, inputs, { activation: "none" }, [z!]) ??
  (activation === "gelu" ? gelu(runtime, [z!], undefined, [y!]) : linear(runtime, inputs, { activation }, [y!]));
