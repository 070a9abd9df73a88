/** Texts to generate, chosen for how often guesses of prompt lookup come true. */
import type { GenerateOptions } from "@gpt2-ts/gpt2";

export interface Texts {
  readonly what: string;
  readonly model: "synthetic-124m" | "stories";
  readonly prompt: string;
  /** Of each text, all but seed and `speculate`. */
  readonly options: GenerateOptions;
  readonly seeds: number;
}

/** All ids beyond `count` are as good as ruled out, and the others equally likely, whatever the model says. */
function amongTokens(count: number): GenerateOptions {
  const bias = 1e9;
  const temperature = 1e6;
  return { temperature, topK: count, logitBias: new Map(Array.from({ length: count }, (_, id) => [id + 1, bias])) };
}

const forced = { model: "synthetic-124m", prompt: "a", seeds: 1 } as const;
const maxTokens = 192;

/** Acceptance forced to 0 (no three tokens occur twice in the same order), to about ½ and to 1; then texts as they come. */
export const TEXTS: readonly Texts[] = [
  { what: "acceptance 0", ...forced, options: { ...amongTokens(12), noRepeatNgramSize: 3, maxTokens } },
  { what: "acceptance ½", ...forced, options: { ...amongTokens(2), maxTokens } },
  { what: "acceptance 1", ...forced, options: { ...amongTokens(1), maxTokens } },
  { what: "shipped model, temperature 0.8", ...story({ temperature: 0.8 }, 8) },
  { what: "shipped model, greedy", ...story({ greedy: true }, 1) },
];

function story(options: GenerateOptions, seeds: number): Omit<Texts, "what"> {
  return { model: "stories", prompt: "Once upon a time", options: { ...options, maxTokens }, seeds };
}
