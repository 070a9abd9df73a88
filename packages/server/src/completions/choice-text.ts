import type { FinishReason, StreamDecoder, Tokenizer } from "@gpt2-ts/gpt2";
import type { ChoiceEvent, SentLogprobs, SentToken } from "../thread/protocol.ts";

/** Log-probabilities as OpenAI's completions have them. */
export interface ChoiceLogprobs {
  readonly tokens: string[];
  /** Null for the first token of a text, which nothing comes before. */
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Readonly<Record<string, number>> | null)[];
  /** Code points of the choice's text before each token. */
  readonly text_offset: number[];
}

/** What is added to a choice. */
export interface Piece {
  readonly text: string;
  readonly logprobs: ChoiceLogprobs | null;
  readonly finish: "stop" | "length" | null;
}

export interface ChoiceOptions {
  readonly tokenizer: Tokenizer;
  readonly prompt: readonly number[];
  readonly echo: boolean;
  readonly logprobs: boolean;
}

/** JSON has no -Infinity, and lm-evaluation-harness adds the numbers up. */
const NEVER = -9999;

/** A token that is told once its text is: text that may become a stop text, and its tokens, are held back. */
interface HeldToken {
  readonly token: SentToken;
  readonly offset: number;
}

/** Makes text and log-probabilities of what comes from the thread for one choice. */
export class ChoiceText {
  readonly #options: ChoiceOptions;
  readonly #decoder: StreamDecoder;
  #echoed: boolean;
  /** Code points of all tokens that came, and of the text that was told. */
  #offset = 0;
  #told = 0;
  #held: HeldToken[] = [];

  constructor(options: ChoiceOptions) {
    this.#options = options;
    this.#decoder = options.tokenizer.streamDecoder();
    this.#echoed = !options.echo;
  }

  add(event: ChoiceEvent): Piece {
    const logprobs = this.#options.logprobs ? noLogprobs() : null;
    let text = "";
    if (!this.#echoed) {
      text = this.#echo(event.prompt, logprobs);
      this.#echoed = true;
    }
    this.#told += codePoints(event.text);
    for (const token of event.tokens) {
      this.#held.push({ token, offset: this.#offset });
      this.#offset += codePoints(this.#decoder.push(token.id));
    }
    if (logprobs) this.#release(logprobs, event.finish);
    return { text: text + event.text, logprobs, finish: event.finish === undefined ? null : reasons[event.finish] };
  }

  /** The prompt's own text, and log-probabilities. */
  #echo(known: SentLogprobs | undefined, logprobs: ChoiceLogprobs | null): string {
    const { prompt } = this.#options;
    let text = "";
    for (const [i, id] of prompt.entries()) {
      if (logprobs) this.#tell(logprobs, id, this.#offset, i === 0 ? undefined : known, i - 1);
      const part = this.#decoder.push(id);
      text += part;
      this.#offset += codePoints(part);
    }
    const rest = this.#decoder.flush(); // of a prompt in tokens that ends within a character
    this.#offset += codePoints(rest);
    this.#told = this.#offset;
    return text + rest;
  }

  /** Tells of the tokens whose text was told. At the end of all others too, but for those of a stop text. */
  #release(logprobs: ChoiceLogprobs, finish: FinishReason | undefined): void {
    const whole = finish !== undefined && finish !== "stop";
    while (this.#held.length > 0 && (whole || this.#held[0]!.offset < this.#told)) {
      const { token, offset } = this.#held.shift()!;
      this.#tell(logprobs, token.id, offset, token.logprobs, 0);
    }
  }

  /** @param row the token's place among those that `known` knows */
  #tell(into: ChoiceLogprobs, id: number, offset: number, known: SentLogprobs | undefined, row: number): void {
    const { tokenizer } = this.#options;
    const [text] = tokenizer.tokens([id]) as [string];
    into.tokens.push(text);
    into.text_offset.push(offset);
    if (known === undefined) {
      into.token_logprobs.push(null);
      into.top_logprobs.push(null);
      return;
    }
    const own = finite(known.targets[row]!);
    const { count, ids, logprobs } = known;
    const best = tokenizer.tokens(ids.subarray(row * count, (row + 1) * count));
    const top: Record<string, number> = Object.create(null); // a token may be called __proto__
    // Of two tokens with one text the more likely one; the likeliest come first.
    for (const [i, token] of best.entries()) top[token] ??= finite(logprobs[row * count + i]!);
    top[text] ??= own;
    into.token_logprobs.push(own);
    into.top_logprobs.push(top);
  }
}

const reasons: Readonly<Record<FinishReason, "stop" | "length">> = {
  stop: "stop",
  eos: "stop",
  length: "length",
  context: "length",
  aborted: "length",
};

/** Joins what was added to a choice, in order. */
export function joined(pieces: readonly Piece[]): Piece {
  const all = pieces.map(({ logprobs }) => logprobs).filter((logprobs) => logprobs !== null);
  return {
    text: pieces.map(({ text }) => text).join(""),
    logprobs:
      all.length === 0
        ? null
        : {
            tokens: all.flatMap(({ tokens }) => tokens),
            token_logprobs: all.flatMap((each) => each.token_logprobs),
            top_logprobs: all.flatMap((each) => each.top_logprobs),
            text_offset: all.flatMap((each) => each.text_offset),
          },
    finish: pieces.at(-1)?.finish ?? null,
  };
}

function noLogprobs(): ChoiceLogprobs {
  return { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
}

function finite(logprob: number): number {
  return logprob === Number.NEGATIVE_INFINITY ? NEVER : logprob;
}

/** Characters, each of which may be two units of UTF-16. */
function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
