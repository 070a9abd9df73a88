import { yieldToEventLoop } from "@gpt2-ts/tensor/event-loop";
import { checkOptionNames, OptionError } from "@gpt2-ts/tensor/options";
import { checkInteger } from "../options.ts";
import { bytesInVocabularyOrder, bytesToSymbols } from "./byte-symbols.ts";
import { MAX_MERGES } from "./merge.ts";
import { PairCounts } from "./pair-counts.ts";
import { endOfWord } from "./split.ts";
import { encodeUtf8 } from "./utf8.ts";

const BYTES = 256;
/** The most tokens that the tables of merges and pairs can tell apart. */
const LARGEST_VOCABULARY = MAX_MERGES;

/** How long training works before it lets other tasks of the event loop run. */
const SLICE_MS = 50;

export interface TrainOptions {
  /** How many tokens the vocabulary may have: 256 bytes, the merges, and the special tokens. */
  vocabSize: number;
  /** Tokens that take the last ids, in this order; text never merges into them. `["<|endoftext|>"]` unless given. */
  specialTokens?: readonly string[];
  /** How often a pair must be seen to be merged; 2 unless given. Training ends early when no pair is frequent enough. */
  minFrequency?: number;
  /** Called after each merge. */
  onProgress?: (progress: TrainProgress) => void;
  /** Aborts training: it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface TrainProgress {
  /** Merges made so far, and to make. */
  merges: number;
  totalMerges: number;
  /** The token just made, in byte symbols, and how often its pair stood in the text. */
  token: string;
  count: number;
}

/** A trained vocabulary in GPT-2's format. */
export interface TrainedVocabulary {
  /** Token → id, in byte symbols: the bytes in GPT-2's order, then one token per merge, then the special tokens. */
  readonly vocab: Readonly<Record<string, number>>;
  /** The merges, first to last. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** The special tokens and their ids. */
  readonly specialTokens: Readonly<Record<string, number>>;
  /** The contents of vocab.json and merges.txt. They do not say which tokens are special. */
  toFiles(): { vocab: string; merges: string };
}

/**
 * Learns a byte-level BPE vocabulary: starting from single bytes, the most frequent pair of neighbouring tokens becomes a token,
 * again and again; of equally frequent pairs, the one with the lowest ids (left, then right). Pairs never cross the boundaries of
 * words, which GPT-2's pattern finds. The result depends only on the texts and options, and equals that of the trainer of Hugging
 * Face `tokenizers` (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909).
 *
 * @param texts one text or several; words do not run on from one to the next
 * @throws OptionError for an invalid option, or if a special token is also learned from the texts
 */
export async function trainBPE(
  texts: string | Iterable<string> | AsyncIterable<string>,
  options: TrainOptions,
): Promise<TrainedVocabulary> {
  const { specialTokens, totalMerges, minFrequency } = checkedOptions(options);
  const pause = pauser(options.signal);

  const wordCounts = new Map<string, number>();
  for await (const text of typeof texts === "string" ? [texts] : texts) {
    for (let start = 0; start < text.length; ) {
      const end = endOfWord(text, start);
      const word = text.slice(start, end);
      wordCounts.set(word, (wordCounts.get(word) ?? 0) + 1);
      start = end;
    }
    await pause();
  }

  const tokens = bytesInVocabularyOrder.map((byte) => bytesToSymbols([byte]));
  const idOfByte = new Int32Array(BYTES);
  for (const [id, byte] of bytesInVocabularyOrder.entries()) idOfByte[byte] = id;

  const words = Array.from(wordCounts, ([word, count]) => {
    const ids = Array.from(encodeUtf8(word), (byte) => idOfByte[byte]!);
    return [ids, count] as const;
  });
  const pairs = new PairCounts(words);

  const merges: [string, string][] = [];
  while (merges.length < totalMerges) {
    const pair = pairs.mostFrequent();
    if (pair === undefined || pair.count < minFrequency) break;
    const parts: [string, string] = [tokens[pair.left]!, tokens[pair.right]!];
    const token = parts.join("");
    pairs.merge(pair.left, pair.right, tokens.length);
    tokens.push(token);
    merges.push(parts);
    options.onProgress?.({ merges: merges.length, totalMerges, token, count: pair.count });
    await pause();
  }
  return trainedVocabulary(tokens, merges, specialTokens);
}

function checkedOptions(options: TrainOptions) {
  checkOptionNames(options, ["vocabSize", "specialTokens", "minFrequency", "onProgress", "signal"]);
  const { vocabSize, specialTokens = ["<|endoftext|>"], minFrequency = 2 } = options;
  for (const [i, token] of specialTokens.entries()) {
    if (token === "") throw new OptionError("specialTokens", "one is empty");
    if (specialTokens.indexOf(token) !== i) throw new OptionError("specialTokens", `${JSON.stringify(token)} twice`);
  }
  const smallest = BYTES + specialTokens.length;
  if (vocabSize === undefined) throw new OptionError("vocabSize", "is needed");
  checkInteger("vocabSize", vocabSize, smallest, LARGEST_VOCABULARY);
  checkInteger("minFrequency", minFrequency, 1);
  return { specialTokens, minFrequency, totalMerges: vocabSize - smallest };
}

/** A function to call often: it notices an abort, and from time to time lets other tasks (a page's, a timer's) run. */
function pauser(signal: AbortSignal | undefined): () => Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  return async () => {
    if (performance.now() >= sliceEnd) {
      await yieldToEventLoop();
      sliceEnd = performance.now() + SLICE_MS;
    }
    signal?.throwIfAborted();
  };
}

function trainedVocabulary(
  learned: readonly string[],
  merges: readonly [string, string][],
  specialTokens: readonly string[],
): TrainedVocabulary {
  const ids = new Map(learned.map((token, id) => [token, id]));
  for (const token of specialTokens) {
    if (ids.has(token))
      throw new OptionError("specialTokens", `${JSON.stringify(token)} is also learned from the text`);
    ids.set(token, ids.size);
  }
  return {
    vocab: Object.fromEntries(ids),
    merges,
    specialTokens: Object.fromEntries(specialTokens.map((token, i) => [token, learned.length + i])),
    toFiles: () => ({
      // Not JSON.stringify of the record: it would put the tokens "0" to "9" first.
      vocab: `{${[...ids].map(([token, id]) => `${JSON.stringify(token)}: ${id}`).join(", ")}}`,
      merges: `${["#version: 0.2", ...merges.map((pair) => pair.join(" "))].join("\n")}\n`,
    }),
  };
}
