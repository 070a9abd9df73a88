import type { Kernel } from "../../backend.ts";
import { type LinearParams, linearKernel } from "../matmul.ts";

/** y = f(z), z = x·w + bias, and z: operands as linear's, y and z [M, N]. */
export const linearWithSumsKernel: Kernel<LinearParams> = (inputs, params, [y, z]) => {
  linearKernel(inputs, params, [y!]);
  linearKernel(inputs, { activation: "none" }, [z!]);
};
