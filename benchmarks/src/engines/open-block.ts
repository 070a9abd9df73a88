/** Loads the engine that a spec names, and no other. */
import type { BlockEngine, BlockSpec } from "./block.ts";
import type { Usage } from "./language-engine.ts";

export async function openBlockEngine(spec: BlockSpec): Promise<BlockEngine & { usage?(): Usage }> {
  switch (spec.engine) {
    case "gpt2-ts":
      return (await import("./gpt2-ts-block.ts")).loadGpt2TsBlock(spec);
    case "tfjs":
      return (await import("./tfjs-block.ts")).loadTfjsBlock();
    case "jax-js":
      return (await import("./jax-js-block.ts")).loadJaxJsBlock();
    case "PyTorch":
      return (await import("./pytorch-training.ts")).loadPyTorchBlock(spec);
  }
}
