/** Which modes of GPU.js there are on this machine. */
import { existsSync } from "node:fs";
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import { Child, ChildError } from "../harness/child.ts";
import type { Facts } from "../speed/result.ts";
import type { ModeFound } from "./result.ts";

export const MATMUL_CHILD = new URL("../engines/matmul-child.js", import.meta.url);
/** The modes that Node may have. */
const MODES: readonly GpuMode[] = ["webgpu", "headlessgl", "webasm", "cpu"];
/** Debian's chromium brings a software adapter. */
const SOFTWARE_ADAPTER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/**
 * Asks every mode, in a process of its own, what it runs on. Where WebGPU finds no adapter, this process and those it
 * starts from here on take Chromium's software adapter, if it is installed.
 */
export async function findModes(node: string): Promise<ModeFound[]> {
  const found: ModeFound[] = [];
  for (const mode of MODES) {
    let answer = await askMode(mode, node);
    if (mode === "webgpu" && answer.missing !== undefined && existsSync(SOFTWARE_ADAPTER)) {
      process.env["VK_ICD_FILENAMES"] = SOFTWARE_ADAPTER;
      answer = await askMode(mode, node);
    }
    const facts = answer.facts === undefined ? undefined : Object.values(answer.facts).filter(Boolean).join(", ");
    console.log(`${mode.padEnd(10)} ${facts ?? `skipped: ${answer.missing}`}`);
    found.push(answer);
  }
  return found;
}

async function askMode(mode: GpuMode, node: string): Promise<ModeFound> {
  const args = [JSON.stringify({ engine: "gpt2-ts on GPU.js", threads: 1, mode })];
  await using child = new Child(mode, { module: MATMUL_CHILD, args, node });
  try {
    return { mode, facts: await child.call<Facts>("facts"), missing: undefined };
  } catch (error) {
    if (!(error instanceof ChildError)) throw error;
    const [reason] = error.message.replace(`${mode}: `, "").replace("DeviceError: gpu: ", "").split("\n");
    return { mode, facts: undefined, missing: reason ?? "" };
  }
}
