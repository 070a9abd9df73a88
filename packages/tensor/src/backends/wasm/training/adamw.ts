import { contiguousStrides, isContiguous, sizeOf } from "../../../shape.ts";
import type { AdamWParams } from "../../reference/backward/adamw.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked, type WasmView } from "../storage.ts";
import { collapsedCopy } from "../strided-copy.ts";
import { runTraining } from "./run.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 32_768;

export const adamW: WasmKernel<AdamWParams> = (runtime, [gradient], params, outputs) => {
  const views = [gradient!, ...outputs];
  if (views.some(isPacked)) return "packed matrix";
  const size = sizeOf(gradient!.shape);
  if (size === 0) return undefined;
  const { beta1, beta2, epsilon, gradientScale, keep, rate, correction } = params;
  const floats = [1 - beta1, 1 - beta2, epsilon, gradientScale, keep, rate, correction];
  const alike = views.every(({ strides }) => strides.every((step, axis) => step === gradient!.strides[axis]));
  // In the order in which they lie, if that is the same for all; else in copies.
  const addresses = views.map((view) => (alike && isDense(view) ? runtime.pointer(view) : runtime.contiguous(view)));
  runTraining(runtime, "adamWJob", runtime.chunks(size, CHUNK, 8), [...addresses, size], floats);
  for (const [i, view] of outputs.entries()) {
    const address = addresses[i + 1]!;
    if (address !== runtime.pointer(view)) copyBack(runtime, address, view);
  }
  return undefined;
};

/** Copies elements in row-major order to where a view has them. */
function copyBack(runtime: WasmRuntime, address: number, view: WasmView): void {
  const axes = collapsedCopy(view.shape, contiguousStrides(view.shape), view.strides);
  const steps = axes.flatMap(({ size, source, target }) => [size, source, target]);
  runtime.run("copyJob", 1, [address, runtime.pointer(view), 4, axes.length, ...steps]);
}

/** Whether a view's elements lie without gaps, in whatever order of its axes. */
function isDense({ shape, strides }: WasmView): boolean {
  const axes = shape.map((_, axis) => axis).sort((a, b) => strides[b]! - strides[a]! || shape[b]! - shape[a]!);
  const [sizes, steps] = [axes.map((axis) => shape[axis]!), axes.map((axis) => strides[axis]!)];
  return isContiguous(sizes, steps);
}
