import { OptionError } from "@gpt2-ts/tensor/options";
import type { SamplingOptions } from "./sampling.ts";

/** How a model asks to be generated from: what holds where an option is not given. */
export interface GenerationDefaults extends Omit<SamplingOptions, "greedy"> {
  /** At most so many tokens. */
  readonly maxTokens?: number | undefined;
  /** At most so many tokens, those of the prompt among them. */
  readonly maxLength?: number | undefined;
  /** Texts that end the output: it stops before the first of them that is complete. */
  readonly stop?: string | readonly string[] | undefined;
}

/** Options with the defaults for those that are not given. Throws {@link OptionError} where they leave no room for a token. */
export function withDefaults<Options extends SamplingOptions & Omit<GenerationDefaults, "maxLength">>(
  { maxLength, ...defaults }: GenerationDefaults,
  options: Options,
  promptLength: number,
): Options {
  const { temperature, topK, topP, minP, ...others } = defaults;
  const applying = options.greedy ? others : defaults; // what greedy has no use for contradicts it
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
  const merged = { ...applying, ...given };
  if (maxLength === undefined || merged.maxTokens !== undefined) return merged;
  const room = maxLength - Math.max(promptLength, 1); // an empty prompt is begun with a token
  if (room >= 1) return { ...merged, maxTokens: room };
  const message = `the model's generation config allows ${maxLength} tokens with the prompt, which has ${promptLength}`;
  throw new OptionError("maxTokens", message);
}
