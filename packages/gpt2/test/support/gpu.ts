import type { GpuBackend, GpuMode } from "@gpt2-ts/tensor/gpu";
import { describeOnGpu as describeInModes } from "../../../tensor/test/gpu/modes.ts";

/**
 * The same tests once per mode of the gpu device, as the tensor package's tests have them; skipped with a reason where a
 * mode cannot be had. To be awaited at the top level.
 */
export function describeOnGpu(
  title: string,
  suite: (device: GpuBackend) => void,
  modes?: readonly GpuMode[],
): Promise<void> {
  // The same class, once by its source and once by the package's declarations.
  return describeInModes(title, (device) => suite(device as unknown as GpuBackend), modes);
}
