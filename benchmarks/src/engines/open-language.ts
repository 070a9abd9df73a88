import type { EngineSpec, LanguageEngine } from "./language-engine.ts";

/** Loads an engine. Each is a module of its own, so that a process loads only the one it measures. */
export async function openEngine(spec: EngineSpec): Promise<LanguageEngine> {
  switch (spec.engine) {
    case "gpt2-ts":
      return (await import("./gpt2-ts.ts")).loadGpt2Ts(spec);
    case "gpt2-ts build":
      return (await import("./gpt2-ts-build.ts")).loadGpt2TsBuild(spec);
    case "onnxruntime-node":
    case "onnxruntime-web":
      return (await import("./onnxruntime.ts")).loadOnnxruntime(spec);
    case "llama.cpp":
      return (await import("./llama.ts")).loadLlama(spec);
    case "transformers.js":
      return (await import("./transformers.ts")).loadTransformers(spec);
    case "PyTorch":
      return (await import("./pytorch.ts")).loadPyTorch(spec);
  }
}
