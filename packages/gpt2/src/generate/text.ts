import { type Alternative, alternativesOf } from "../alternatives.ts";
import type { Logprobs } from "../model/logprobs.ts";
import type { StreamDecoder } from "../tokenizer/stream-decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Speculation } from "./lookup.ts";
import type { ResolvedOptions } from "./options.ts";
import type { FinishReason, GeneratedToken, SequenceOutput } from "./sequence.ts";
import { StopTexts } from "./stop-texts.ts";

/** A finished generation. */
export interface Generation {
  /** The output, without the prompt and without the stop text. */
  readonly text: string;
  /** The tokens of the output; those that make up a stop text are among them, one that ends the text is not. */
  readonly ids: readonly number[];
  readonly promptIds: readonly number[];
  readonly finishReason: FinishReason;
  /** The seed that gives this output again. */
  readonly seed: number;
  /** The model's own log-probability (natural) of each of `ids`, before temperature and filters; if asked for. */
  readonly logprobs: readonly number[] | undefined;
  /** The same for the prompt's tokens from the second on; if asked for, unless turned off by `promptLogprobs`. */
  readonly promptLogprobs: readonly number[] | undefined;
  /**
   * With `top`: the likeliest tokens in each place of `ids`, the likeliest first. Where that is the output's own token, it has the
   * same log-probability, to the bit. Ids that the tokenizer has no token for are left out.
   */
  readonly alternatives: readonly (readonly Alternative[])[] | undefined;
  /** The same for the places of `promptLogprobs`. */
  readonly promptAlternatives: readonly (readonly Alternative[])[] | undefined;
  /** With `speculate`: how many tokens were guessed, and how many of these are part of the output. */
  readonly speculation: Speculation | undefined;
}

/** A token of the output. */
export interface TokenEvent {
  readonly type: "token";
  /** Which of several texts it belongs to; 0 if there is one. */
  readonly index: number;
  readonly id: number;
  /** The token itself, for display, with `\xNN` for bytes that are only part of a character. */
  readonly token: string;
  /**
   * The text that can be shown now: whole characters, and nothing that may yet become a stop text. Often the token's own; but it may
   * be empty, and it may have what earlier tokens began. The `text` of all events of an output, joined, is the output.
   */
  readonly text: string;
  /** The model's own natural log-probability of the token, before temperature and filters; with `logprobs` or `top`. */
  readonly logprob: number | undefined;
  /** With `top`: the likeliest tokens in this place, the likeliest first. */
  readonly alternatives: readonly Alternative[] | undefined;
}

/** The end of an output. */
export interface EndEvent {
  readonly type: "end";
  readonly index: number;
  /** What was held back until now, and is part of the output. */
  readonly text: string;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** The whole of it. */
  readonly generation: Generation;
}

/** What happens while texts are generated. */
export type GenerationEvent = TokenEvent | EndEvent;

/** What an output took. */
export interface Usage {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** Milliseconds from the call to the first token; undefined if there was none. */
  readonly firstTokenTime: number | undefined;
  /** Milliseconds from the call to the end. */
  readonly totalTime: number;
}

/** Who hears of it. */
export interface Listener {
  event(event: GenerationEvent): void;
  error(error: unknown): void;
}

/** Makes events, and in the end a generation, of a sequence's tokens. */
export class TextOutput implements SequenceOutput {
  readonly #index: number;
  readonly #options: ResolvedOptions;
  readonly #tokenizer: Tokenizer;
  readonly #listener: Listener;
  readonly #statistics: () => Speculation | undefined;
  readonly #decoder: StreamDecoder;
  readonly #stopTexts: StopTexts;
  readonly #began = performance.now();
  #firstToken: number | undefined;
  #text = "";
  readonly #ids: number[] = [];
  readonly #logprobs: number[] = [];
  readonly #alternatives: Alternative[][] = [];
  #prompt: Logprobs | undefined;
  #generation: Generation | undefined;

  constructor(
    index: number,
    options: ResolvedOptions,
    tokenizer: Tokenizer,
    listener: Listener,
    statistics: () => Speculation | undefined,
  ) {
    this.#index = index;
    this.#options = options;
    this.#tokenizer = tokenizer;
    this.#listener = listener;
    this.#statistics = statistics;
    this.#decoder = tokenizer.streamDecoder();
    this.#stopTexts = new StopTexts(options.stop);
  }

  prompt(logprobs: Logprobs): void {
    this.#prompt = logprobs;
  }

  token({ id, logprobs }: GeneratedToken): boolean {
    this.#firstToken ??= performance.now();
    const text = this.#stopTexts.push(this.#decoder.push(id));
    const logprob = logprobs?.targets[0];
    const alternatives = logprobs && this.#top !== undefined ? alternativesOf(logprobs, this.#tokenizer)[0] : undefined;
    this.#text += text;
    this.#ids.push(id);
    if (logprob !== undefined) this.#logprobs.push(logprob);
    if (alternatives) this.#alternatives.push(alternatives);
    const [token] = this.#tokenizer.tokens([id]) as [string];
    this.#listener.event({ type: "token", index: this.#index, id, token, text, logprob, alternatives });
    return this.#stopTexts.found;
  }

  end(reason: FinishReason): void {
    // What waited for more tokens gets none; but the U+FFFD of a broken character may complete a stop text.
    const text = this.#stopTexts.push(this.#decoder.flush()) + this.#stopTexts.flush();
    const finishReason = this.#stopTexts.found ? "stop" : reason;
    this.#text += text;
    this.#generation = this.#whole(finishReason);
    const usage = {
      promptTokens: this.#options.prompt.length,
      generatedTokens: this.#ids.length,
      firstTokenTime: this.#firstToken === undefined ? undefined : this.#firstToken - this.#began,
      totalTime: performance.now() - this.#began,
    };
    this.#listener.event({ type: "end", index: this.#index, text, finishReason, usage, generation: this.#generation });
  }

  fail(error: unknown): void {
    this.#listener.error(error);
  }

  /** The whole of it, once it has ended. */
  get generation(): Generation | undefined {
    return this.#generation;
  }

  #whole(finishReason: FinishReason): Generation {
    const { prompt, seed, logprobs = this.#top !== undefined } = this.#options;
    const read = this.#prompt;
    return {
      text: this.#text,
      ids: this.#ids,
      promptIds: prompt,
      finishReason,
      seed,
      logprobs: logprobs ? this.#logprobs : undefined,
      promptLogprobs: read && Array.from(read.targets),
      alternatives: this.#top === undefined ? undefined : this.#alternatives,
      promptAlternatives: read && this.#top !== undefined ? alternativesOf(read, this.#tokenizer) : undefined,
      speculation: this.#statistics(),
    };
  }

  get #top(): number | undefined {
    return this.#options.top;
  }
}
