/** The process of one engine: loads a model and answers requests for samples; idle in between. */
import { serve } from "../harness/child.ts";
import { peakResidentBytes } from "../harness/machine.ts";
import { Comparison } from "../quality/measure.ts";
import { ErrorMeter, type ErrorSummary, readReference } from "../reference-values.ts";
import { type EngineSpec, type LanguageEngine, openEngine, type Sequence } from "./language-engine.ts";
import { argMaxOfLastRow, promptOf } from "./prompts.ts";

export interface FirstToken {
  readonly id: number;
  readonly peakResidentBytes: number;
}

/** Logits against float64. */
export interface LogitQuality extends ErrorSummary {
  /** Kullback–Leibler divergence from the reference distribution, in nats, mean over positions. */
  readonly meanKl: number;
  /** Share of positions with the same most likely token as the reference. */
  readonly top1: number;
}

const spec: EngineSpec = JSON.parse(process.argv[2] ?? "{}");
let loaded: Promise<LanguageEngine> | undefined;
const engine = (): Promise<LanguageEngine> => {
  loaded ??= openEngine(spec);
  return loaded;
};

const served = {
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

  /** How the logits of the reference prompts of at most `maxLength` tokens differ from float64. */
  async quality(model: string, maxLength: number): Promise<LogitQuality> {
    const comparison = new Comparison();
    for (const { ids, positions, logits } of await readReference(model)) {
      if (ids.length > maxLength) continue;
      const sequence = (await engine()).start();
      const all = await sequence.forward(ids);
      const vocab = all.length / ids.length;
      for (const [row, position] of positions.entries()) {
        const expected = logits.subarray(row * vocab, (row + 1) * vocab);
        comparison.add(expected, all.subarray(position * vocab, (position + 1) * vocab), undefined);
      }
      sequence.dispose();
    }
    const { maxError: max, rmsError: rms, meanKl, top1 } = comparison.summary();
    return { max, rms, meanKl, top1 };
  },

  /** The largest difference, in nats a token, of the scores of the reference prompts of 2 to `maxLength` tokens. */
  async scoreError(model: string, maxLength: number): Promise<number> {
    const prompts = (await readReference(model)).filter(({ ids }) => ids.length > 1 && ids.length <= maxLength);
    const scores = await scorer(await engine())(prompts.map(({ ids }) => ids));
    const errors = prompts.map(({ logprobs }, i) => {
      const expected = logprobs.reduce((sum, logprob) => sum + logprob, 0);
      return Math.abs((scores[i] ?? Number.NaN) - expected) / logprobs.length;
    });
    return errors.every((error) => error >= 0) ? Math.max(...errors) : Number.NaN;
  },

  /** Tokens per second of scoring texts of these lengths, in their order. */
  async score(lengths: readonly number[], vocab: number): Promise<number> {
    const texts = lengths.map((length, i) => promptOf(length, vocab, i));
    const score = scorer(await engine());
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

function scorer({ facts, score }: LanguageEngine): NonNullable<LanguageEngine["score"]> {
  if (score === undefined) throw new Error(`${facts["engine"]} is not measured by scoring`);
  return score;
}
