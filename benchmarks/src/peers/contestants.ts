/** Who takes part, each with the same weights in its own format, and who is missing, with the reason. */
import { execFileSync } from "node:child_process";
import { convertedCheckpoint } from "../converted-checkpoint.ts";
import type { EngineSpec } from "../engines/language-engine.ts";
import { installPeers, LLAMA } from "../engines/peers.ts";
import { writeGguf } from "../gguf/model-file.ts";
import { writeHubFolder, writeInt8OnnxModel, writeOnnxModel } from "../onnx/model-file.ts";
import type { Contestant } from "../speed/contestant.ts";
import type { MissingEngine } from "./result.ts";

/** Batches its texts in the order given: only measured by scoring. */
export const UNSORTED = "transformers.js f32, unsorted";
const TRANSFORMERS = ["transformers.js f32", UNSORTED];

export interface Field {
  readonly contestants: readonly Contestant[];
  readonly missing: readonly MissingEngine[];
}

/** @param folder the checkpoint, next to which each engine's files are written once */
export async function assemble(folder: string, threads: number, python: string): Promise<Field> {
  const contestants: Contestant[] = [];
  const missing: MissingEngine[] = [];
  const add = (name: string, spec: Omit<EngineSpec, "threads">): void => {
    contestants.push({ name, spec: { ...spec, threads } });
  };
  const attempt = async (names: readonly string[], prepare: () => Promise<void> | void): Promise<void> => {
    try {
      await prepare();
    } catch (error) {
      const reason = error instanceof Error ? firstLine(error.message) : String(error);
      for (const name of names) missing.push({ name, reason });
    }
  };

  add("gpt2-ts f32", { engine: "gpt2-ts", model: folder, device: "wasm", dtype: "f32" });
  for (const dtype of ["bf16", "int8"] as const) {
    add(`gpt2-ts ${dtype}`, {
      engine: "gpt2-ts",
      model: await convertedCheckpoint(folder, dtype),
      device: "wasm",
      dtype,
    });
  }
  await attempt(["onnxruntime-node f32", "onnxruntime-node int8", "onnxruntime-web f32", ...TRANSFORMERS], async () => {
    installPeers();
    const f32 = await writeOnnxModel(folder);
    add("onnxruntime-node f32", { engine: "onnxruntime-node", model: folder, file: f32 });
    add("onnxruntime-node int8", {
      engine: "onnxruntime-node",
      model: folder,
      file: await writeInt8OnnxModel(folder),
    });
    add("onnxruntime-web f32", { engine: "onnxruntime-web", model: folder, file: f32 });
    const hub = await writeHubFolder(folder);
    for (const name of TRANSFORMERS) add(name, { engine: "transformers.js", model: hub, unsorted: name === UNSORTED });
  });
  await attempt(["llama.cpp f32", "llama.cpp q8_0"], async () => {
    installPeers(LLAMA);
    add("llama.cpp f32", { engine: "llama.cpp", model: folder, file: await writeGguf(folder, "f32") });
    add("llama.cpp q8_0", { engine: "llama.cpp", model: folder, file: await writeGguf(folder, "q8_0") });
  });
  await attempt(["PyTorch f32"], () => {
    execFileSync(python, ["-c", "import torch, transformers, safetensors"], { stdio: ["ignore", "ignore", "pipe"] });
    add("PyTorch f32", { engine: "PyTorch", model: folder, python });
  });
  return { contestants, missing };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
