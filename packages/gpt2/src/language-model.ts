import type { Tensor } from "@gpt2-ts/tensor";
import type { GenerationDefaults } from "./generate/defaults.ts";
import type { GenerateAllOptions } from "./generate/generate.ts";
import type { GenerateOptions } from "./generate/options.ts";
import type { Generation, GenerationEvent } from "./generate/text.ts";
import type { GPT2Config } from "./model/config.ts";
import type { HiddenStates } from "./model/inspect.ts";
import type { H, T, V } from "./model/model.ts";
import type { Score } from "./score/text.ts";
import type { ScoreOptions } from "./score/tokens.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

/** A text, or its tokens. In a text `<|endoftext|>` is thirteen ordinary characters; as a token it has to be an id. */
export type Text = string | readonly number[];

/** A prompt, and options for it that differ from those for all prompts. Its `signal` ends its own texts alone. */
export interface GenerateRequest extends GenerateOptions {
  readonly prompt: Text;
}

/**
 * What GPT2 and GPT2Worker, whose model is in a worker, have in common: code that takes a LanguageModel works with either. Those
 * methods that only GPT2 answers at once are to be awaited.
 */
export interface LanguageModel {
  readonly config: GPT2Config;
  readonly tokenizer: Tokenizer;
  readonly generationDefaults: GenerationDefaults;
  stream(prompt: Text, options?: GenerateOptions): AsyncGenerator<string, Generation>;
  events(prompt: Text, options?: GenerateOptions): AsyncGenerator<GenerationEvent, Generation>;
  generate(prompt: Text, options?: GenerateOptions): Promise<Generation>;
  eventsAll(
    prompts: readonly (Text | GenerateRequest)[],
    options?: GenerateAllOptions,
  ): AsyncGenerator<GenerationEvent, Generation[]>;
  generateAll(prompts: readonly (Text | GenerateRequest)[], options?: GenerateAllOptions): Promise<Generation[]>;
  score(text: Text, options?: ScoreOptions): Promise<Score>;
  scoreAll(texts: readonly Text[], options?: ScoreOptions): Promise<Score[]>;
  logits(text: Text): Tensor<[number, V]> | Promise<Tensor<[number, V]>>;
  hiddenStates(text: Text): HiddenStates | Promise<HiddenStates>;
  attentionMaps(text: Text): Tensor<[H, T, number]>[] | Promise<Tensor<[H, T, number]>[]>;
  dispose(): void;
  [Symbol.dispose](): void;
}
