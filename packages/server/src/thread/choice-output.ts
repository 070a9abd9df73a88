import {
  type FinishReason,
  type GeneratedToken,
  type Logprobs,
  type SequenceOutput,
  StopTexts,
  type StreamDecoder,
  type Tokenizer,
} from "@gpt2-ts/gpt2";
import type { ChoiceEvent, SentLogprobs, SentToken } from "./protocol.ts";

/** What is known of a text before it begins. */
export interface ChoiceOptions {
  readonly stop: readonly string[];
  /** Tokens that end the text. They are told of, since clients ask for their log-probabilities too, but give no text. */
  readonly endTokens: readonly number[];
}

/** Makes events of a sequence's tokens: one for each pass. */
export class ChoiceOutput implements SequenceOutput {
  readonly #decoder: StreamDecoder;
  readonly #stopTexts: StopTexts;
  readonly #endTokens: readonly number[];
  readonly #onPrompt: () => void;
  readonly #onFailure: (error: unknown) => void;
  #prompt: SentLogprobs | undefined;
  #tokens: SentToken[] = [];
  #text = "";
  #endTokenCame = false;
  #finish: FinishReason | undefined;

  constructor(
    tokenizer: Tokenizer,
    { stop, endTokens }: ChoiceOptions,
    { onPrompt, onFailure }: { onPrompt(): void; onFailure(error: unknown): void },
  ) {
    this.#decoder = tokenizer.streamDecoder();
    this.#stopTexts = new StopTexts(stop);
    this.#endTokens = endTokens;
    this.#onPrompt = onPrompt;
    this.#onFailure = onFailure;
  }

  get ended(): boolean {
    return this.#finish !== undefined;
  }

  prompt(logprobs: Logprobs): void {
    this.#prompt = sentLogprobs(logprobs);
    this.#onPrompt();
  }

  token({ id, logprobs }: GeneratedToken): boolean {
    this.#tokens.push(logprobs ? { id, logprobs: sentLogprobs(logprobs) } : { id });
    this.#endTokenCame = this.#endTokens.includes(id);
    if (this.#endTokenCame) return true;
    this.#text += this.#stopTexts.push(this.#decoder.push(id));
    return this.#stopTexts.found;
  }

  end(reason: FinishReason): void {
    // What waited for more tokens gets none; but the U+FFFD of a broken character may complete a stop text.
    this.#text += this.#stopTexts.push(this.#decoder.flush()) + this.#stopTexts.flush();
    if (this.#stopTexts.found) this.#finish = "stop";
    else this.#finish = this.#endTokenCame ? "eos" : reason;
  }

  fail(error: unknown): void {
    this.#onFailure(error);
  }

  /** What came since this was asked last; undefined if nothing did. */
  take(id: number, index: number): ChoiceEvent | undefined {
    const event: ChoiceEvent = {
      id,
      index,
      tokens: this.#tokens,
      text: this.#text,
      ...(this.#prompt && { prompt: this.#prompt }),
      ...(this.#finish && { finish: this.#finish }),
    };
    if (event.tokens.length === 0 && event.text === "" && !event.prompt && !event.finish) return undefined;
    this.#tokens = [];
    this.#text = "";
    this.#prompt = undefined;
    return event;
  }
}

function sentLogprobs({ targets, top: { count, ids, logprobs } }: Logprobs): SentLogprobs {
  return { targets, count, ids, logprobs };
}
