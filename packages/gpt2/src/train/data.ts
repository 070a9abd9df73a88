import { OptionError } from "@gpt2-ts/tensor/options";
import { pauses } from "../model/pauses.ts";
import { StreamEncoder } from "../tokenizer/stream-encoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** Tokens of texts, one after the other, in as few bytes as the vocabulary allows. */
export type TokenIds = Uint16Array | Uint32Array;

/** A text: as a whole, or in pieces, so that it need not fit into a string. */
export type Document = string | AsyncIterable<string>;

/** What is learned from, and what tells how well. */
export interface TrainingData {
  readonly train: TokenIds;
  /** Tokens that are not learned from; none if no loss of them is wanted. */
  readonly heldOut: TokenIds;
}

/** What {@link encodeDocuments} makes of texts. */
export interface EncodedDocuments {
  readonly ids: TokenIds;
  /** UTF-16 units of the texts. */
  readonly characters: number;
}

/**
 * The tokens of texts: each once, and behind each of them the token that ends a text, if the tokenizer has one. In memory are the
 * tokens, two bytes each for vocabularies up to 65,536, and one piece of text.
 *
 * @throws `signal.reason` when aborted
 */
export async function encodeDocuments(
  documents: Iterable<Document> | AsyncIterable<Document>,
  tokenizer: Tokenizer,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<EncodedDocuments> {
  if (typeof documents === "string")
    throw new TypeError("encodeDocuments: expected several texts, got one; put it in an array");
  const pause = pauses(signal);
  const tokens = new TokenBuffer(tokenizer.vocabSize);
  const encoder = new StreamEncoder(tokenizer);
  let characters = 0;
  for await (const document of documents) {
    for await (const piece of typeof document === "string" ? [document] : document) {
      characters += piece.length;
      tokens.append(encoder.push(piece));
      await pause();
    }
    tokens.append(encoder.flush());
    if (tokenizer.endOfText !== undefined) tokens.append([tokenizer.endOfText]);
    await pause();
  }
  return { ids: tokens.take(), characters };
}

/**
 * Keeps the last tokens apart.
 *
 * @param share how many of them, from 0 to below 1
 */
export function holdOut(ids: TokenIds, share: number): TrainingData {
  if (!(share >= 0 && share < 1)) throw new OptionError("heldOut", `expected a share from 0 to below 1, got ${share}`);
  const first = ids.length - Math.floor(ids.length * share);
  return { train: ids.subarray(0, first), heldOut: ids.subarray(first) };
}

/** Several as one. */
export function joinTokens(parts: readonly TokenIds[]): TokenIds {
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = parts.some((part) => part instanceof Uint32Array) ? new Uint32Array(length) : new Uint16Array(length);
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}

const FIRST_ROOM = 2 ** 16;

/** Ids that come in pieces. */
class TokenBuffer {
  #ids: TokenIds;
  #length = 0;

  constructor(vocabSize: number) {
    this.#ids = vocabSize <= 2 ** 16 ? new Uint16Array(FIRST_ROOM) : new Uint32Array(FIRST_ROOM);
  }

  append(ids: readonly number[]): void {
    const length = this.#length + ids.length;
    if (length > this.#ids.length) {
      const room = Math.max(length, 2 * this.#ids.length);
      const larger = this.#ids instanceof Uint16Array ? new Uint16Array(room) : new Uint32Array(room);
      larger.set(this.#ids.subarray(0, this.#length));
      this.#ids = larger;
    }
    this.#ids.set(ids, this.#length);
    this.#length = length;
  }

  take(): TokenIds {
    return this.#ids.slice(0, this.#length);
  }
}
