import { existsSync } from "node:fs";
import { describe } from "vitest";
import type { GpuBackend, GpuMode } from "../../src/backends/gpu/index.ts";
import { createGpuBackend } from "../../src/backends/gpu/index.ts";

/** Where Debian's chromium keeps its software adapter; any Vulkan driver named in the environment comes first. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";
if (!process.env["VK_ICD_FILENAMES"] && !process.env["VK_DRIVER_FILES"] && existsSync(SWIFTSHADER)) {
  process.env["VK_ICD_FILENAMES"] = SWIFTSHADER;
}

/** With GPT2_TS_REQUIRE_GPU=1 what is missing is a failure; else its tests are skipped, with a line that says why. */
const required = process.env["GPT2_TS_REQUIRE_GPU"] === "1";

/**
 * The modes that Node has wherever GPU.js, webgpu and an adapter are installed. GPT2_TS_GPU_MODES=headlessgl asks for
 * another, or for some.
 */
export const nodeModes = (process.env["GPT2_TS_GPU_MODES"]?.split(",") ?? ["webgpu", "webasm", "cpu"]) as GpuMode[];

/** A backend in this mode of its own, or undefined and a line on stderr when it cannot be had here. */
export async function gpuBackend(mode: GpuMode): Promise<GpuBackend | undefined> {
  try {
    return await createGpuBackend({ mode });
  } catch (error) {
    if (required) throw error;
    process.stderr.write(`GPU tests in mode ${mode} are skipped: ${(error as Error).message}\n`);
    return undefined;
  }
}

const created = new Map<GpuMode, Promise<GpuBackend | undefined>>();

/** Declares the same tests once per mode, on one backend for each in a test file. To be awaited at the top level. */
export async function describeOnGpu(
  title: string,
  suite: (backend: GpuBackend) => void,
  modes: readonly GpuMode[] = nodeModes,
): Promise<void> {
  for (const mode of modes) {
    if (!created.has(mode)) created.set(mode, gpuBackend(mode));
    const backend = await created.get(mode);
    const name = `${title} (gpu, ${mode})`;
    if (backend) describe(name, () => suite(backend));
    else describe.skip(name, () => suite(undefined as never));
  }
}
