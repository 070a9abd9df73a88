import { createHash } from "node:crypto";
import type { Backend } from "@gpt2-ts/tensor";
import { loadConfig, loadModel } from "../../checkpoint/load.ts";
import { loadTokenizer } from "../../checkpoint/load-tokenizer.ts";
import { type ModelSource, modelSource } from "../../checkpoint/source/index.ts";
import { requiredText } from "../../checkpoint/source/required-text.ts";
import type { GPT2Config } from "../../model/config.ts";
import { configFile } from "../../model/config-file.ts";
import { initialModel } from "../../model/initialize.ts";
import type { Model } from "../../model/model.ts";
import { newConfig } from "../../model/new-config.ts";
import { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { trainBPE } from "../../tokenizer/train.ts";
import { TOKENIZER_FILES } from "../../tokenizer-files.ts";
import type { WarningListener } from "../../warning.ts";
import type { TrainFolderOptions } from "./options.ts";
import { documentsOf, type TextFile } from "./text-files.ts";

/** Tokens of a vocabulary that is learned, where nothing is said. */
const VOCABULARY = 1024;
const CONTEXT = 256;

/** What a training begins with. */
export interface Origin {
  /** As far as it is known before the tokenizer is: the largest that it can become. */
  readonly config: GPT2Config;
  /** The tokenizer, and the files of the model folder beside its weights. */
  prepare(files: readonly TextFile[], options: PrepareOptions): Promise<Prepared>;
}

interface PrepareOptions {
  readonly signal: AbortSignal | undefined;
  readonly onWarning: WarningListener;
  readonly onMerge: (done: number, total: number) => void;
}

export interface Prepared {
  readonly config: GPT2Config;
  readonly tokenizer: Tokenizer;
  /** By name. */
  readonly texts: ReadonlyMap<string, string>;
  /** The model as it is before the first step; the caller disposes of it. */
  model(device: Backend): Promise<Model>;
}

/** @throws ModelFormatError for a model that is not there, or none */
export async function findOrigin(options: TrainFolderOptions): Promise<Origin> {
  return options.model === undefined
    ? newModel(options)
    : checkpoint(await modelSource(options.model, options.signal), options);
}

async function checkpoint(source: ModelSource, { signal }: TrainFolderOptions): Promise<Origin> {
  const config = await loadConfig(source);
  return {
    config,
    async prepare(_, { onWarning }) {
      const texts = await textsOf(source, ["config.json", ...TOKENIZER_FILES, "generation_config.json"]);
      return {
        config,
        tokenizer: await loadTokenizer(source, { onWarning }),
        texts,
        model: (device) => loadModel(source, { device, trainable: true, onWarning, signal }),
      };
    },
  };
}

async function newModel(options: TrainFolderOptions): Promise<Origin> {
  const source = options.tokenizer === undefined ? undefined : await modelSource(options.tokenizer, options.signal);
  const given = source && (await loadTokenizer(source));
  const seed = options.seed ?? 1;
  const { layers = 4, heads = 4, channels = 128, context = CONTEXT } = options;
  const { vocabSize = given?.vocabSize ?? VOCABULARY } = options;
  const shape = { layers, heads, channels, context };
  return {
    config: newConfig({ ...shape, vocabSize }),
    async prepare(files, { signal, onMerge }) {
      const own = source
        ? await textsOf(source, TOKENIZER_FILES)
        : await learnTokenizer(files, vocabSize, signal, onMerge);
      const tokenizer = given ?? Tokenizer.fromVocab({ vocab: own.get("vocab.json")!, merges: own.get("merges.txt")! });
      const config = newConfig({ ...shape, vocabSize: tokenizer.vocabSize, endOfText: tokenizer.endOfText });
      const texts = new Map([["config.json", configFile(config)] as const, ...own]);
      return { config, tokenizer, texts, model: async (device) => initialModel(config, { seed, device }) };
    },
  };
}

async function learnTokenizer(
  files: readonly TextFile[],
  vocabSize: number,
  signal: AbortSignal | undefined,
  onMerge: (done: number, total: number) => void,
): Promise<Map<string, string>> {
  const trained = await trainBPE(piecesOf(files), {
    vocabSize,
    ...(signal && { signal }),
    onProgress: ({ merges, totalMerges }) => onMerge(merges, totalMerges),
  });
  const { vocab, merges } = trained.toFiles();
  return new Map([
    ["vocab.json", vocab],
    ["merges.txt", merges],
  ]);
}

/** The texts that are learned from; a word may be cut where one piece ends and another begins, once in 256 kB. */
async function* piecesOf(files: readonly TextFile[]): AsyncGenerator<string> {
  for await (const document of documentsOf(files, "train")) {
    if (typeof document === "string") yield document;
    else yield* document;
  }
}

async function textsOf(source: ModelSource, names: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of names) {
    const text = name === "config.json" ? await requiredText(source, name) : await source.text(name);
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}

/** Tells the tokenizer of a model folder from others. */
export function tokenizerHash(texts: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const name of TOKENIZER_FILES) {
    const text = texts.get(name);
    if (text !== undefined) hash.update(`${name} ${text.length} `).update(text);
  }
  return hash.digest("hex");
}

/** The tokenizer's files of a folder. */
export async function tokenizerTexts(source: ModelSource): Promise<Map<string, string>> {
  return textsOf(source, TOKENIZER_FILES);
}
