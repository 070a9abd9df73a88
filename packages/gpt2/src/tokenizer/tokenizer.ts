import { checkOptionNames, showValue } from "@gpt2-ts/tensor/options";
import { expectIterable } from "../options.ts";
import { warnOnConsole } from "../warning.ts";
import { type KnownToken, withIds } from "./added-token.ts";
import { AddedVocabulary, type AllowedSpecial } from "./added-vocabulary.ts";
import { bytesToSymbols } from "./byte-symbols.ts";
import { TokenizerError } from "./errors.ts";
import { MAX_TOKENS } from "./limits.ts";
import { MergeTable, type MergeTableContents, mergeWord } from "./merge.ts";
import { idsOfBytes, missingBytes, NO_ID } from "./missing-bytes.ts";
import { settingNames, type TokenizerFiles, type TokenizerJsonOptions, type TokenizerSettings } from "./settings.ts";
import { endOfWord } from "./split.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { TokenTable, type TokenTableContents } from "./token-table.ts";
import { decodeUtf8, displayBytes, encodeUtf8 } from "./utf8.ts";
import { utf8Parts } from "./utf8-parts.ts";
import { END_OF_TEXT, numbersById, readVocabFiles, type TokenizerParts, tokenBytes } from "./vocabulary.ts";

export interface EncodeOptions {
  /**
   * Which special tokens become their ids where they occur in the text. "none" (the default) treats `<|endoftext|>` as thirteen
   * ordinary characters, so that a text cannot smuggle one in. Added tokens that are not special are always read.
   */
  allowedSpecial?: AllowedSpecial;
}

/** GPT-2's own settings, which vocab.json and merges.txt stand for. */
const PLAIN = {
  addPrefixSpace: false,
  useRegex: true,
  ignoreMerges: false,
  unkToken: undefined,
  fuseUnk: false,
} as const;

/** A tokenizer as another thread gets it: typed arrays, which are copied at once, where reading the files takes a tenth of a second. */
export interface TokenizerContents {
  readonly parts: Omit<TokenizerParts, "ids" | "merges">;
  readonly ids: TokenTableContents;
  readonly merges: MergeTableContents;
  readonly settings: TokenizerSettings;
}

/** What another thread makes the same tokenizer of, by {@link tokenizerFromContents}. */
export let contentsOfTokenizer: (tokenizer: Tokenizer) => TokenizerContents;
export let tokenizerFromContents: (contents: TokenizerContents) => Tokenizer;

/** The cache holds only short words: a longer slice would keep the whole text it was cut from in memory. */
const LONGEST_CACHED_WORD = 12;
const CACHED_WORDS = 1 << 15;

const NO_BYTES = new Uint8Array(0);

/**
 * GPT-2's tokenizer: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).
 *
 * Text is split into words, each word is written as UTF-8 bytes, and the vocabulary's merges join bytes to ever longer tokens.
 * With GPT-2's vocabulary every text can be encoded, and `decode(encode(text))` is the text again; only lone surrogates, which are
 * not Unicode text, are encoded as U+FFFD. Ids equal those of Hugging Face `tokenizers` and of tiktoken.
 */
export class Tokenizer {
  /** One more than the highest id. There may be ids below it that have no token. */
  readonly vocabSize: number;
  /** The id of the token that ends a text; undefined if the vocabulary has none. */
  readonly endOfText: number | undefined;
  /** The id of the token that begins a text; undefined if the vocabulary has none. */
  readonly startOfText: number | undefined;
  /** The special tokens and their ids. */
  readonly specialTokens: ReadonlyMap<string, number>;

  /** Whether a space is put before a text that does not begin with one. */
  readonly addPrefixSpace: boolean;
  /** Whether a text is split into words, by GPT-2's pattern, before its bytes are merged. */
  readonly splitsWords: boolean;

  readonly #parts: TokenizerParts;
  readonly #settings: TokenizerSettings;
  readonly #added: AddedVocabulary;
  readonly #addedById: ReadonlyMap<number, KnownToken>;
  /** For each id the number of its token in the vocabulary. */
  readonly #numbers: Int32Array;
  readonly #idOfByte: Int32Array;
  /** What stands for bytes without a token; undefined if every byte has one. */
  readonly #missing: { readonly id: number | undefined } | undefined;
  readonly #bytes: (Uint8Array | undefined)[];
  /** The answer that was given last. */
  #without: { readonly vocabSize: number; readonly ids: Int32Array } | undefined;
  readonly #cache = new Map<string, Int32Array>();

  static {
    contentsOfTokenizer = (tokenizer) => {
      const { ids, merges, ...parts } = tokenizer.#parts;
      const { onWarning: _, ...settings } = tokenizer.#settings; // a function stays in its thread
      return { parts, ids: ids.contents(), merges: merges.contents(), settings };
    };
    tokenizerFromContents = ({ parts, ids, merges, settings }) => {
      const tables = { ids: TokenTable.from(ids), merges: MergeTable.from(merges) };
      return new Tokenizer({ ...parts, ...tables }, { ...settings, onWarning: () => {} }); // whoever read the files heard of it
    };
  }

  private constructor(parts: TokenizerParts, settings: TokenizerSettings) {
    const { addedTokens = [], addPrefixSpace = parts.addPrefixSpace, onWarning = warnOnConsole } = settings;
    const { endOfText = END_OF_TEXT, startOfText = END_OF_TEXT } = settings;
    const { file, ids } = parts;
    if (ids.size === 0) throw new TokenizerError("there are no tokens in the vocabulary", { file });
    this.#parts = parts;
    this.#settings = settings;
    this.addPrefixSpace = addPrefixSpace;
    this.splitsWords = parts.useRegex;
    const ends = settings.endOfText === undefined ? [] : new Set([END_OF_TEXT, startOfText, endOfText]);
    const known = [...ends].filter((token) => ids.idOf(token) !== undefined);
    const tokens = withIds(
      [...parts.added, ...known.map((content) => ({ content, special: true })), ...addedTokens],
      (token) => ids.idOf(token),
      ids.size,
      (problem) => onWarning(`${file}: ${problem}`),
    );
    // Where ids have gaps, two tokens may get one id; as in tokenizers, the later one has it.
    this.#addedById = new Map(tokens.map((token) => [token.id, token]));
    this.#added = new AddedVocabulary([...this.#addedById.values()]);
    this.#numbers = numbersById(ids, file);
    this.vocabSize = tokens.reduce((size, { id }) => Math.max(size, id + 1), this.#numbers.length);
    this.#bytes = new Array(this.vocabSize);
    this.specialTokens = this.#added.special;
    const idOf = (name: string) => tokens.find(({ content }) => content === name)?.id ?? ids.idOf(name);
    this.endOfText = idOf(endOfText);
    this.startOfText = idOf(startOfText) ?? this.endOfText;
    this.#idOfByte = idsOfBytes((token) => ids.idOf(token));
    this.#missing = this.#idOfByte.includes(NO_ID) ? missingBytes(parts, this.#idOfByte, onWarning) : undefined;
  }

  /**
   * A tokenizer from the contents of vocab.json and merges.txt.
   * @throws TokenizerError if they are malformed or do not belong together; it names the file, and the line or token
   */
  static fromVocab(files: TokenizerFiles): Tokenizer {
    checkOptionNames(files, ["vocab", "merges", "specialTokens", "fileNames", ...settingNames]);
    const { vocab, merges, fileNames = { vocab: "vocab.json", merges: "merges.txt" }, ...settings } = files;
    const { specialTokens = {}, endOfText = END_OF_TEXT } = files;
    const added = Object.keys(specialTokens).map((content) => ({ content, special: true }));
    const tokenizer = new Tokenizer(
      { ...readVocabFiles(vocab, merges, fileNames), ...PLAIN, added },
      { ...settings, endOfText },
    );
    for (const [token, id] of Object.entries(specialTokens)) {
      const known = tokenizer.specialTokens.get(token);
      if (known === id) continue;
      const problem = `special token ${showValue(token)}: id ${showValue(id)}, but it is ${known} in the vocabulary, or next after it`;
      throw new TokenizerError(token === "" ? "a special token is empty" : problem, { token, id });
    }
    return tokenizer;
  }

  /**
   * A tokenizer from the text of a tokenizer.json, the one file that Hugging Face `transformers` 5 saves a tokenizer to. Asynchronous,
   * because what reads it is a module that pages load only if they need it.
   * @throws TokenizerError if it is malformed, or of another kind than GPT-2's; it names the part
   */
  static async fromTokenizerJson(text: string, options: TokenizerJsonOptions = {}): Promise<Tokenizer> {
    if (typeof text !== "string") throw new TypeError(`fromTokenizerJson: expected a text, got ${showValue(text)}`);
    checkOptionNames(options, ["fileName", ...settingNames]);
    const { fileName = "tokenizer.json", ...settings } = options;
    const { onWarning = warnOnConsole } = settings;
    const { readTokenizerJson } = await import("./tokenizer-json.ts");
    const parts = readTokenizerJson(text, fileName, (problem) => onWarning(`${fileName}: ${problem}`));
    return new Tokenizer(parts, settings);
  }

  /** The tokens that are found in a text before it is split into words, special or not. */
  get addedTokens(): readonly KnownToken[] {
    return this.#added.tokens;
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
    for (const part of this.#added.split(text, options.allowedSpecial ?? "none")) {
      if (typeof part === "number") ids.push(part);
      else this.#encodeOrdinary(part, ids);
    }
    return ids;
  }

  /**
   * The ids of any bytes: those that are UTF-8 as the text that they are, each other byte as a token of its own. `decodeBytes` gives
   * the same bytes again. Nothing is added, and no added tokens are read.
   * @throws TokenizerError if one of the bytes has no token, or as `encode` does
   */
  encodeBytes(bytes: Uint8Array): number[] {
    if (!ArrayBuffer.isView(bytes)) throw new TypeError(`encodeBytes: expected a Uint8Array, got ${showValue(bytes)}`);
    const without = bytes.find((byte) => this.#idOfByte[byte] === NO_ID);
    if (without !== undefined) {
      const byte = `0x${without.toString(16).padStart(2, "0")}`;
      throw new TokenizerError(`byte ${byte} has no token`, { file: this.#parts.file });
    }
    const ids: number[] = [];
    for (const part of utf8Parts(bytes)) {
      if (typeof part === "number") ids.push(this.#idOfByte[part]!);
      else this.#encodeWords(part, ids);
    }
    return ids;
  }

  #encodeOrdinary(part: string, ids: number[]): void {
    this.#encodeWords(this.addPrefixSpace && !part.startsWith(" ") ? ` ${part}` : part, ids);
  }

  #encodeWords(text: string, ids: number[]): void {
    for (let start = 0; start < text.length; ) {
      const end = this.splitsWords ? endOfWord(text, start) : text.length;
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

    const ids = this.#mergeWord(encodeUtf8(word));
    if (word.length <= LONGEST_CACHED_WORD) {
      if (this.#cache.size === CACHED_WORDS) this.#cache.clear();
      this.#cache.set(word, ids);
    }
    return ids;
  }

  #mergeWord(bytes: Uint8Array): Int32Array {
    const { ids, merges, ignoreMerges } = this.#parts;
    const whole = ignoreMerges ? ids.idOf(bytesToSymbols(bytes)) : undefined;
    if (whole !== undefined) return Int32Array.of(whole);
    const idOfByte = this.#idOfByte;
    const byteIds = new Int32Array(bytes.length).map((_, i) => idOfByte[bytes[i]!]!);
    return mergeWord(this.#missing === undefined ? byteIds : this.#withoutMissing(byteIds, this.#missing.id), merges);
  }

  /** The ids of bytes, some of which may have none. */
  #withoutMissing(byteIds: Int32Array, unk: number | undefined): Int32Array {
    if (unk === undefined) return byteIds.filter((id) => id !== NO_ID);
    const { fuseUnk } = this.#parts;
    return byteIds
      .filter((id, i) => !fuseUnk || id !== NO_ID || byteIds[i - 1] !== NO_ID)
      .map((id) => (id === NO_ID ? unk : id));
  }

  /**
   * The text of these tokens. Bytes that are not UTF-8 (a character cut in two, a model's mistake) become U+FFFD; an id without a token
   * gives nothing, as models may have more ids than tokens.
   * @throws TokenizerError for what is no id, such as -1
   */
  decode(ids: Iterable<number>): string {
    return decodeUtf8(this.decodeBytes(ids));
  }

  /**
   * The bytes of these tokens; none for an id without a token.
   * @throws TokenizerError for what is no id, such as -1
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
   * Each token's text, for display, with `\xNN` for bytes that are only part of a character; empty for an id without a token.
   * @throws TokenizerError for what is no id, such as -1
   */
  tokens(ids: Iterable<number>): string[] {
    return Array.from(expectIterable("tokens", "token ids", ids), (id) => displayBytes(this.#bytesOf(id)));
  }

  /** The ids below `vocabSize` that have no token: those of a padded vocabulary. They should not be drawn. */
  idsWithoutToken(vocabSize: number): Int32Array {
    if (this.#without?.vocabSize !== vocabSize) {
      const ids: number[] = [];
      for (let id = 0; id < vocabSize; id++) if (!this.#hasToken(id)) ids.push(id);
      this.#without = { vocabSize, ids: Int32Array.from(ids) };
    }
    return this.#without.ids.slice();
  }

  #hasToken(id: number): boolean {
    return (this.#numbers[id] ?? NO_ID) !== NO_ID || this.#addedById.has(id);
  }

  #bytesOf(id: number): Uint8Array {
    const known = this.#bytes[id];
    if (known !== undefined) return known;
    if (!Number.isSafeInteger(id) || id < 0) {
      throw new TokenizerError(`token id ${showValue(id)} is not a whole number from 0 on`, { id });
    }
    if (!this.#hasToken(id)) return NO_BYTES;
    const bytes = this.#bytesOfToken(id);
    this.#bytes[id] = bytes;
    return bytes;
  }

  #bytesOfToken(id: number): Uint8Array {
    const added = this.#addedById.get(id);
    const number = this.#numbers[id] ?? NO_ID;
    const token = number === NO_ID ? undefined : this.#parts.ids.textAt(number);
    if (added !== undefined && (token !== added.content || !this.#isMade(id))) return encodeUtf8(added.content);
    return tokenBytes(token!);
  }

  /** Whether ordinary text can become this token of the vocabulary: then it is written in byte symbols. */
  #isMade(id: number): boolean {
    return this.#idOfByte.includes(id) || this.#parts.merges.makes(id);
  }
}
