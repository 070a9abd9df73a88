/** A build of this repository, of whatever revision: through the public API of its `GPT2` alone, which outlives layouts. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Context } from "@gpt2-ts/gpt2";
import type { EngineSpec, LanguageEngine, Sequence } from "./language-engine.ts";
import { argMaxOfLastRow } from "./prompts.ts";

/** Where a built checkout has the package. */
export const GPT2_MODULE = join("packages", "gpt2", "dist", "index.js");

export async function loadGpt2TsBuild({
  build,
  model: folder,
  threads,
  dtype,
  cacheDtype,
}: EngineSpec): Promise<LanguageEngine> {
  if (build === undefined) throw new Error("gpt2-ts build needs the root of a build");
  const module = await import(pathToFileURL(join(build, GPT2_MODULE)).href);
  const { GPT2 } = module as typeof import("@gpt2-ts/gpt2");
  const model = await GPT2.load(folder, { threads, ...(dtype && { dtype }), ...(cacheDtype && { cacheDtype }) });
  return {
    facts: { engine: "gpt2-ts", ...(dtype && { dtype }), ...(cacheDtype && { cacheDtype }), threads },
    start: () => new ContextSequence(model.context(), (ids) => model.logits(ids).data()),
    async score(texts) {
      const scores = await model.scoreAll(texts.map((ids) => Array.from(ids)));
      return scores.map(({ logLikelihood }) => logLikelihood);
    },
  };
}

class ContextSequence implements Sequence {
  readonly #context: Context;
  readonly #allLogits: (ids: number[]) => Promise<Float32Array>;

  constructor(context: Context, allLogits: (ids: number[]) => Promise<Float32Array>) {
    this.#context = context;
    this.#allLogits = allLogits;
  }

  async forward(ids: Int32Array): Promise<Float32Array> {
    if (this.#context.length > 0) throw new Error("all logits are told of whole texts only");
    return this.#allLogits(Array.from(ids));
  }

  async run(ids: Int32Array): Promise<void> {
    await this.#context.append(Array.from(ids));
  }

  async next(ids: Int32Array): Promise<number> {
    const logits = await this.#context.append(Array.from(ids));
    return argMaxOfLastRow(logits, logits.length);
  }

  dispose(): void {
    this.#context.dispose();
  }
}
