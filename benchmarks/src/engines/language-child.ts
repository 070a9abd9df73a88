/** The process of one engine: loads a model and answers requests for samples, at rest in between. */
import { serve } from "../harness/child.ts";
import { peakResidentBytes } from "../harness/machine.ts";
import { ErrorMeter, type ErrorSummary, readReference } from "../reference-values.ts";
import { lowbias32 } from "../synthetic.ts";
import { type EngineSpec, type LanguageEngine, openEngine } from "./language-engine.ts";

export interface FirstToken {
  readonly id: number;
  readonly peakResidentBytes: number;
}

const spec: EngineSpec = JSON.parse(process.argv[2] ?? "{}");
let loaded: Promise<LanguageEngine> | undefined;
const engine = (): Promise<LanguageEngine> => {
  loaded ??= openEngine(spec);
  return loaded;
};

serve({
  facts: async () => (await engine()).facts,

  /** Largest and RMS error of the logits of the reference prompts of at most `maxLength` tokens. */
  async accuracy(model: string, maxLength: number): Promise<ErrorSummary> {
    const meter = new ErrorMeter();
    for (const { ids, positions, logits } of await readReference(model)) {
      if (ids.length > maxLength) continue;
      const sequence = (await engine()).start();
      const all = await sequence.forward(ids);
      const vocab = all.length / ids.length;
      for (const [row, position] of positions.entries()) {
        meter.add(
          all.subarray(position * vocab, (position + 1) * vocab),
          logits.subarray(row * vocab, (row + 1) * vocab),
        );
      }
      sequence.dispose();
    }
    return meter.summary();
  },

  /** Seconds for a prompt of `tokens` tokens, the logits of all of them included. */
  async prefill(tokens: number, vocab: number): Promise<number> {
    const ids = promptOf(tokens, vocab);
    const sequence = (await engine()).start();
    const start = performance.now();
    await sequence.forward(ids);
    const seconds = (performance.now() - start) / 1000;
    sequence.dispose();
    return seconds;
  },

  /** Tokens per second of greedy decoding, one token at a time, behind a prompt of `context` tokens. */
  async decode(context: number, tokens: number, vocab: number): Promise<number> {
    const sequence = (await engine()).start();
    let next = argMaxOfLastRow(await sequence.forward(promptOf(context, vocab)), vocab);
    const start = performance.now();
    for (let i = 0; i < tokens; i++) next = argMaxOfLastRow(await sequence.forward(Int32Array.of(next)), vocab);
    const seconds = (performance.now() - start) / 1000;
    sequence.dispose();
    return tokens / seconds;
  },

  /** Loads the model and answers with the first token behind a short prompt. */
  async firstToken(promptLength: number, vocab: number): Promise<FirstToken> {
    const sequence = (await engine()).start();
    const id = argMaxOfLastRow(await sequence.forward(promptOf(promptLength, vocab)), vocab);
    return { id, peakResidentBytes: peakResidentBytes() };
  },

  peakResidentBytes: async () => peakResidentBytes(),
});

function promptOf(length: number, vocab: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => lowbias32(i + 1000 + length) % vocab);
}

function argMaxOfLastRow(logits: Float32Array, vocab: number): number {
  const row = logits.subarray(logits.length - vocab);
  let best = 0;
  for (let i = 1; i < vocab; i++) if ((row[i] ?? 0) > (row[best] ?? 0)) best = i;
  return best;
}
