/** The process of one engine: loads a model and answers requests for samples; idle in between. */
import { serve } from "../harness/child.ts";
import { peakResidentBytes } from "../harness/machine.ts";
import type { LogitQuality } from "./language-checks.ts";
import { type EngineSpec, type LanguageEngine, type Sequence, scorerOf } from "./language-engine.ts";
import { openEngine } from "./open-language.ts";
import { argMaxOfLastRow, promptOf } from "./prompts.ts";

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

const served = {
  facts: async () => (await engine()).facts,

  // The checks bring our own packages along: imported when asked for, so that a cold start loads the engine's modules only.
  async quality(model: string, maxLength: number): Promise<LogitQuality> {
    return (await import("./language-checks.ts")).logitQuality(await engine(), model, maxLength);
  },

  async scoreError(model: string, maxLength: number): Promise<number> {
    return (await import("./language-checks.ts")).scoreError(await engine(), model, maxLength);
  },

  /** Tokens per second of scoring texts of these lengths, in their order. */
  async score(lengths: readonly number[], vocab: number): Promise<number> {
    const texts = lengths.map((length, i) => promptOf(length, vocab, i));
    const score = scorerOf(await engine());
    const start = performance.now();
    await score(texts);
    const seconds = (performance.now() - start) / 1000;
    return lengths.reduce((sum, length) => sum + length, 0) / seconds;
  },

  /** Seconds for a prompt of `tokens` tokens, including the logits of all of them. */
  async prefill(tokens: number, vocab: number): Promise<number> {
    const ids = promptOf(tokens, vocab);
    const sequence = (await engine()).start();
    const start = performance.now();
    await (sequence.run?.(ids) ?? sequence.forward(ids));
    const seconds = (performance.now() - start) / 1000;
    sequence.dispose();
    return seconds;
  },

  /** Tokens per second of greedy decoding, one token at a time, behind a prompt of `context` tokens. */
  async decode(context: number, tokens: number, vocab: number): Promise<number> {
    const { start: begin, decode } = await engine();
    if (decode) return tokens / (await decode(promptOf(context, vocab), tokens));
    const sequence = begin();
    let next = await nextToken(sequence, promptOf(context, vocab), vocab);
    const start = performance.now();
    for (let i = 0; i < tokens; i++) next = await nextToken(sequence, Int32Array.of(next), vocab);
    const seconds = (performance.now() - start) / 1000;
    sequence.dispose();
    return tokens / seconds;
  },

  /** Loads the model and answers with the first token behind a short prompt. */
  async firstToken(promptLength: number, vocab: number): Promise<FirstToken> {
    const sequence = (await engine()).start();
    const id = await nextToken(sequence, promptOf(promptLength, vocab), vocab);
    return { id, peakResidentBytes: await peak() };
  },

  peakResidentBytes: peak,
};

serve(served, async () => (await loaded)?.usage?.().cpuSeconds ?? 0);

/** Of this process, and of those that the engine started. */
async function peak(): Promise<number> {
  return peakResidentBytes() + ((await engine()).usage?.().peakResidentBytes ?? 0);
}

async function nextToken(sequence: Sequence, ids: Int32Array, vocab: number): Promise<number> {
  return sequence.next?.(ids) ?? argMaxOfLastRow(await sequence.forward(ids), vocab);
}
