/** The process that generates: one model, with and without speculation in turns. */
import { GPT2, loadModel, loadTokenizer, modelSource, type Speculation } from "@gpt2-ts/gpt2";
import { createWasmBackend, type MatrixEncoding } from "@gpt2-ts/tensor";
import { serve } from "../harness/child.ts";
import { syntheticTokenizer } from "../synthetic-tokenizer.ts";
import { TEXTS } from "./texts.ts";

export interface Generated extends Speculation {
  readonly tokens: number;
}

const [folder = "", dtype = "f32", threads = "1"] = process.argv.slice(2);
const loading = load();
/** The ids of each group of texts as they were first generated: all later ones have to be the same. */
const first = new Map<number, string>();

serve({
  /** Tokens per second of generating a group of texts. */
  async sample(index: number, speculates: boolean): Promise<number> {
    const start = performance.now();
    const { tokens } = await generate(index, speculates);
    return tokens / ((performance.now() - start) / 1000);
  },

  statistics: (index: number): Promise<Generated> => generate(index, true),
});

async function generate(index: number, speculates: boolean): Promise<Generated> {
  const model = await loading;
  const { prompt, options, seeds } = TEXTS[index]!;
  const texts: (readonly number[])[] = [];
  const sum = { tokens: 0, drafted: 0, accepted: 0 };
  for (let seed = 0; seed < seeds; seed++) {
    const speculate = speculates ? "lookup" : undefined;
    const { ids, speculation } = await model.generate(prompt, { ...options, seed, speculate, stopAtEndOfText: false });
    texts.push(ids);
    sum.tokens += ids.length;
    sum.drafted += speculation?.drafted ?? 0;
    sum.accepted += speculation?.accepted ?? 0;
  }
  const ids = JSON.stringify(texts);
  const expected = first.get(index) ?? ids;
  first.set(index, expected);
  if (ids !== expected) throw new Error(`${TEXTS[index]!.what}: another text with speculation than without`);
  return sum;
}

async function load(): Promise<GPT2> {
  const device = createWasmBackend({ threads: Number(threads) });
  const source = await modelSource(folder);
  const model = await loadModel(source, { device, dtype: dtype as MatrixEncoding });
  const hasOwn = (await source.text("vocab.json")) !== undefined;
  return new GPT2(model, hasOwn ? await loadTokenizer(source) : syntheticTokenizer(model.config.vocabSize));
}
