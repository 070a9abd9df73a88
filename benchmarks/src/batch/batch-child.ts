/** The process that generates: one model, some texts at a time. */
import { GPT2, loadModel, modelSource } from "@gpt2-ts/gpt2";
import { createWasmBackend, Generator, type MatrixEncoding } from "@gpt2-ts/tensor";
import { serve } from "../harness/child.ts";
import { syntheticTokenizer } from "../synthetic-tokenizer.ts";

const [folder = "", dtype = "f32", threads = "1", promptTokens = "16", generatedTokens = "128"] = process.argv.slice(2);
const loading = load();
/** The ids of each text as they were first generated: all later ones have to be the same, whoever they are generated with. */
const first = new Map<number, string>();
let alone = 0;

serve({
  /** Tokens per second of generating texts together. */
  async together(count: number): Promise<number> {
    return generate(Array.from({ length: count }, (_, i) => i));
  },

  /** Tokens per second of a text alone, another one of `count` each time. */
  async alone(count: number): Promise<number> {
    return generate([alone++ % count]);
  },
});

async function generate(texts: readonly number[]): Promise<number> {
  const model = await loading;
  const prompts = texts.map((seed) => ({ prompt: promptOf(seed, model.config.vocabSize), seed }));
  const options = { maxTokens: Number(generatedTokens), stopAtEndOfText: false, maxConcurrent: texts.length };
  const start = performance.now();
  const generations = await model.generateAll(prompts, options);
  const seconds = (performance.now() - start) / 1000;
  let tokens = 0;
  for (const { seed, ids } of generations) {
    tokens += ids.length;
    const text = ids.join();
    if (text !== (first.get(seed) ?? text)) throw new Error(`text ${seed}: another one with others than alone`);
    first.set(seed, text);
  }
  return tokens / seconds;
}

function promptOf(seed: number, vocabSize: number): number[] {
  const random = new Generator(seed);
  return Array.from({ length: Number(promptTokens) }, () => Math.floor(random.uniform() * vocabSize));
}

async function load(): Promise<GPT2> {
  const device = createWasmBackend({ threads: Number(threads) });
  const model = await loadModel(await modelSource(folder), { device, dtype: dtype as MatrixEncoding });
  return new GPT2(model, syntheticTokenizer(model.config.vocabSize));
}
