/** The process of one model whose ops are timed: runs a part on request; idle in between. */
import { Batch, forward, GPT2, KVCache, loadModel, logits, type Model, modelSource, profileNames } from "@gpt2-ts/gpt2";
import { createWasmBackend, type MatrixEncoding, type OpTime, type WasmInfo } from "@gpt2-ts/tensor";
import { argMaxOfLastRow, promptOf } from "../engines/prompts.ts";
import { serve } from "../harness/child.ts";
import { mixedLengths } from "../peers/plan.ts";
import { syntheticTokenizer } from "../synthetic-tokenizer.ts";
import { Recorder } from "./recorder.ts";
import type { RooflinePartName } from "./result.ts";

export interface RooflineSpec {
  readonly model: string;
  readonly threads: number;
  readonly dtype: MatrixEncoding;
}

/** One sample: the whole pass, and the ops in it. */
export interface Profile {
  readonly milliseconds: number;
  readonly ops: readonly OpTime[];
}

interface Opened {
  readonly model: Model;
  readonly gpt2: GPT2;
  readonly recorder: Recorder;
  readonly info: WasmInfo;
}

const spec: RooflineSpec = JSON.parse(process.argv[2] ?? "{}");
let loaded: Promise<Opened> | undefined;
const opened = (): Promise<Opened> => {
  loaded ??= load(spec);
  return loaded;
};

serve({
  /** What the kernels use of the processor. */
  info: async () => (await opened()).info,

  /** Runs a part once. `tokens`: of the prompt, the context before decoding, or all texts. `steps`: tokens decoded. */
  async profile(part: RooflinePartName, tokens: number, steps: number): Promise<Profile> {
    const { model, gpt2 } = await opened();
    const { vocabSize } = model.config;
    if (part === "score") {
      const texts = lengthsOf(tokens).map((length, i) => Array.from(promptOf(length, vocabSize, i)));
      return await timed(async () => void (await gpt2.scoreAll(texts)));
    }
    using cache = new KVCache(model);
    const prompt = promptOf(tokens, vocabSize);
    if (part === "prefill") return await timed(async () => void (await run(cache, prompt)));
    let next = argMaxOfLastRow(await run(cache, prompt), vocabSize);
    return await timed(async () => {
      for (let i = 0; i < steps; i++) next = argMaxOfLastRow(await run(cache, Int32Array.of(next)), vocabSize);
    });
  },
});

async function load({ model: folder, threads, dtype }: RooflineSpec): Promise<Opened> {
  const device = createWasmBackend({ threads });
  const model = await loadModel(await modelSource(folder), { device, dtype });
  const recorder = new Recorder(profileNames(model));
  const gpt2 = new GPT2(model, syntheticTokenizer(model.config.vocabSize));
  return { model, gpt2, recorder, info: device.info() };
}

async function timed(run: () => Promise<void>): Promise<Profile> {
  const { recorder } = await opened();
  recorder.take();
  const start = performance.now();
  await run();
  const milliseconds = performance.now() - start;
  return { milliseconds, ops: recorder.take() };
}

/** The logits of tokens that follow those in the cache, as engines/gpt2-ts.ts has them. */
async function run(cache: KVCache, ids: Int32Array): Promise<Float32Array> {
  const { model, recorder } = await opened();
  using batch = new Batch(model, [{ ids, cache }]);
  using hidden = forward(model, batch);
  using scores = logits(model, hidden);
  batch.commit();
  return await recorder.read(scores);
}

/** Lengths of texts that have so many tokens together. */
function lengthsOf(tokens: number): number[] {
  const lengths: number[] = [];
  let left = tokens;
  for (const length of mixedLengths(tokens)) {
    if (length > left) break;
    lengths.push(length);
    left -= length;
  }
  return lengths;
}
