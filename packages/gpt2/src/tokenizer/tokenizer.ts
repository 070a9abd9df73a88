import { checkOptionNames, showValue } from "@gpt2-ts/tensor/options";
import { expectIterable } from "../options.ts";
import { TokenizerError } from "./errors.ts";
import { MAX_TOKENS } from "./limits.ts";
import { mergeWord } from "./merge.ts";
import { type AllowedSpecial, splitAtSpecialTokens } from "./special-tokens.ts";
import { endOfWord } from "./split.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { decodeUtf8, displayBytes, encodeUtf8 } from "./utf8.ts";
import { END_OF_TEXT, readVocabulary, tokenBytes, type Vocabulary } from "./vocabulary.ts";

/** The contents of a model folder's tokenizer files. */
export interface TokenizerFiles {
  /** vocab.json, as text or parsed: token → id, tokens written in byte symbols ("Ġthe" is " the"). */
  vocab: string | Readonly<Record<string, number>>;
  /** merges.txt: one pair of tokens per line, in the order of merging, perhaps after a `#version` line. */
  merges: string;
  /** Special tokens and their ids, in or beyond the vocabulary. `<|endoftext|>` is one wherever the vocabulary has it. */
  specialTokens?: Readonly<Record<string, number>>;
  /** How error messages name the two files. Default: "vocab.json" and "merges.txt". */
  fileNames?: { vocab: string; merges: string };
}

export interface EncodeOptions {
  /**
   * Which special tokens become their ids where they occur in the text. "none" (the default) treats `<|endoftext|>` as thirteen
   * ordinary characters, so that a text cannot smuggle one in.
   */
  allowedSpecial?: AllowedSpecial;
}

/** The cache holds only short words: a longer slice would keep the whole text it was cut from in memory. */
const LONGEST_CACHED_WORD = 12;
const CACHED_WORDS = 1 << 15;

/**
 * GPT-2's tokenizer: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).
 *
 * Text is split into words, each word is written as UTF-8 bytes, and the vocabulary's merges join bytes to ever longer tokens.
 * Every text can be encoded, and `decode(encode(text))` is the text again; only lone surrogates, which are not Unicode text, are
 * encoded as U+FFFD. Ids equal those of Hugging Face `tokenizers` and of tiktoken.
 */
export class Tokenizer {
  /** How many tokens there are; ids are 0 to vocabSize - 1. */
  readonly vocabSize: number;
  /** The id of `<|endoftext|>`; undefined if the vocabulary has none. */
  readonly endOfText: number | undefined;
  /** The special tokens and their ids. */
  readonly specialTokens: ReadonlyMap<string, number>;

  readonly #vocabulary: Vocabulary;
  readonly #bytes: (Uint8Array | undefined)[];
  readonly #cache = new Map<string, Int32Array>();

  private constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.vocabSize = vocabulary.size;
    this.#bytes = new Array(this.vocabSize);
    this.endOfText = vocabulary.specialTokens.get(END_OF_TEXT);
    this.specialTokens = vocabulary.specialTokens;
  }

  /**
   * A tokenizer from the contents of vocab.json and merges.txt.
   * @throws TokenizerError if they are malformed or do not belong together; it names the file, and the line or token
   */
  static fromVocab(files: TokenizerFiles): Tokenizer {
    checkOptionNames(files, ["vocab", "merges", "specialTokens", "fileNames"]);
    const { vocab, merges, specialTokens = {}, fileNames = { vocab: "vocab.json", merges: "merges.txt" } } = files;
    return new Tokenizer(readVocabulary(vocab, merges, specialTokens, fileNames));
  }

  /**
   * The ids of a text's tokens.
   * @throws OptionError if `allowedSpecial` names a token that is not special; TokenizerError for more tokens than an array takes,
   *   about 500 megabytes of English, which `StreamEncoder` encodes in pieces
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    if (typeof text !== "string") throw new TypeError(`encode: expected a text, got ${showValue(text)}`);
    checkOptionNames(options, ["allowedSpecial"]);
    const ids: number[] = [];
    for (const part of splitAtSpecialTokens(text, this.specialTokens, options.allowedSpecial ?? "none")) {
      if (typeof part === "number") ids.push(part);
      else this.#encodeOrdinary(part, ids);
    }
    return ids;
  }

  #encodeOrdinary(text: string, ids: number[]): void {
    for (let start = 0; start < text.length; ) {
      const end = endOfWord(text, start);
      const word = this.#encodeWord(text.slice(start, end));
      if (ids.length + word.length > MAX_TOKENS) {
        throw new TokenizerError(
          `a text of more than ${MAX_TOKENS} tokens has to be encoded in pieces (StreamEncoder)`,
        );
      }
      for (const id of word) ids.push(id);
      start = end;
    }
  }

  #encodeWord(word: string): Int32Array {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;

    const { idOfByte, merges } = this.#vocabulary;
    const bytes = encodeUtf8(word);
    const byteIds = new Int32Array(bytes.length).map((_, i) => idOfByte[bytes[i]!]!);
    const ids = mergeWord(byteIds, merges);

    if (word.length <= LONGEST_CACHED_WORD) {
      if (this.#cache.size === CACHED_WORDS) this.#cache.clear();
      this.#cache.set(word, ids);
    }
    return ids;
  }

  /**
   * The text of these tokens. Bytes that are not UTF-8 (a character cut in two, a model's mistake) become U+FFFD.
   * @throws TokenizerError if an id is not in the vocabulary
   */
  decode(ids: Iterable<number>): string {
    return decodeUtf8(this.decodeBytes(ids));
  }

  /**
   * The bytes of these tokens.
   * @throws TokenizerError if an id is not in the vocabulary
   */
  decodeBytes(ids: Iterable<number>): Uint8Array {
    const tokens = Array.from(expectIterable("decode", "token ids", ids), (id) => this.#bytesOf(id));
    const bytes = new Uint8Array(tokens.reduce((sum, token) => sum + token.length, 0));
    let offset = 0;
    for (const token of tokens) {
      bytes.set(token, offset);
      offset += token.length;
    }
    return bytes;
  }

  /** A decoder that takes one id at a time. */
  streamDecoder(): StreamDecoder {
    return new StreamDecoder((id) => this.#bytesOf(id));
  }

  /**
   * Each token's text, for display, with `\xNN` for bytes that are only part of a character.
   * @throws TokenizerError if an id is not in the vocabulary
   */
  tokens(ids: Iterable<number>): string[] {
    return Array.from(expectIterable("tokens", "token ids", ids), (id) => displayBytes(this.#bytesOf(id)));
  }

  #bytesOf(id: number): Uint8Array {
    const token = this.#vocabulary.tokenOf(id);
    if (token === undefined) {
      const problem = `token id ${id} is not in the vocabulary (ids are 0 to ${this.vocabSize - 1})`;
      throw new TokenizerError(problem, { id });
    }
    this.#bytes[id] ??= tokenBytes(token, this.specialTokens.has(token));
    return this.#bytes[id];
  }
}
