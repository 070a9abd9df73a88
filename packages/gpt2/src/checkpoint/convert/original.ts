import { OptionError } from "@gpt2-ts/tensor/options";
import { ModelFormatError } from "../../errors.ts";
import { type GPT2Config, parseConfig } from "../../model/config.ts";
import { TOKENIZER_FILES } from "../../tokenizer-files.ts";
import { type Checkpoint, INDEX_FILE, openCheckpoint, openSafetensors, SINGLE_FILE } from "../open-checkpoint.ts";
import type { ModelSource } from "../source/index.ts";
import { requiredText } from "../source/required-text.ts";
import { openTorchCheckpoint, openTorchShards } from "../torch/torch-checkpoint.ts";
import { fromNanoGPT } from "./nanogpt.ts";
import type { ConvertOptions } from "./options.ts";

/** A model that is to be converted, laid out as on the Hub. */
export interface Original extends AsyncDisposable {
  /** What lies beside the checkpoint, by file name: the config, the tokenizer. */
  readonly texts: ReadonlyMap<string, string>;
  readonly config: GPT2Config;
  readonly checkpoint: Checkpoint;
  /** What the user should know about the result. */
  readonly warnings: readonly string[];
}

const CONFIG = "config.json";
const GENERATION_CONFIG = "generation_config.json";

/** A checkpoint and what `torch.save` saved beside it. */
export interface OpenedCheckpoint extends AsyncDisposable {
  readonly checkpoint: Checkpoint;
  /** nanoGPT's arguments of the model, if the file has them. */
  readonly modelArgs?: ReadonlyMap<unknown, unknown> | undefined;
  readonly warnings: readonly string[];
}

type Options = Pick<ConvertOptions, "from" | "nHead" | "file" | "signal">;

/** Opens a model's checkpoint, whatever wrote it, and reads the files beside it. */
export async function openOriginal(source: ModelSource, options: Options): Promise<Original> {
  const isNanoGPT = options.from === "nanogpt";
  if (options.nHead !== undefined && !isNanoGPT) throw new OptionError("nHead", 'is for models from "nanogpt" only');
  const texts = await readTexts(source, isNanoGPT);
  const opened = await openAny(source, options);
  const close = () => opened[Symbol.asyncDispose]();
  try {
    if (!isNanoGPT) {
      const config = parseConfig(texts.get(CONFIG)!, source.path(CONFIG));
      return { ...opened, texts, config, [Symbol.asyncDispose]: close };
    }
    const warnings = [...opened.warnings];
    if (!hasTokenizer(texts)) {
      const missing =
        "there is no tokenizer beside it: put vocab.json and merges.txt into the new folder before it is loaded";
      warnings.push(`${source.name}: ${missing}`);
    }
    const said = { configText: texts.get(CONFIG), configPath: source.path(CONFIG), nHead: options.nHead };
    const converted = await fromNanoGPT(opened.checkpoint, { ...said, modelArgs: opened.modelArgs });
    texts.set(CONFIG, converted.configText);
    return { ...converted, texts, warnings, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openAny(source: ModelSource, { from, file, signal }: Options): Promise<OpenedCheckpoint> {
  const isThere = async (name: string): Promise<boolean> => (await source.file(name)) !== undefined;
  const name = file ?? (await firstOf([...STANDARD_FILES, ...(from === "nanogpt" ? ["ckpt.pt"] : [])], isThere));
  if (name !== undefined && !isSafetensors(name)) {
    return name.endsWith(".index.json")
      ? openTorchShards(source, name, signal)
      : openTorchCheckpoint(source, name, signal);
  }
  const named = name === undefined ? undefined : await openSafetensors(source, name, { signal });
  if (file !== undefined && named === undefined) throw new ModelFormatError(source.path(file), "there is no such file");
  const checkpoint = named ?? (await openCheckpoint(source, { signal })); // which says what is missing
  return { checkpoint, warnings: [], [Symbol.asyncDispose]: () => checkpoint.tensors.close() };
}

/** In the order of preference. */
const STANDARD_FILES = [SINGLE_FILE, INDEX_FILE, "pytorch_model.bin", "pytorch_model.bin.index.json"];

async function firstOf(
  names: readonly string[],
  isThere: (name: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const name of names) if (await isThere(name)) return name;
  return undefined;
}

function isSafetensors(file: string): boolean {
  return /\.safetensors(\.index\.json)?$/.test(file);
}

async function readTexts(source: ModelSource, isNanoGPT: boolean): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of [CONFIG, ...TOKENIZER_FILES, GENERATION_CONFIG]) {
    const text = await source.text(name);
    if (text !== undefined) texts.set(name, text);
  }
  if (isNanoGPT) return texts;
  await requiredText(source, CONFIG);
  if (!hasTokenizer(texts)) {
    const missing = VOCABULARY_FILES.find((name) => !texts.has(name))!;
    throw new ModelFormatError(source.path(missing), "there is no such file");
  }
  return texts;
}

const VOCABULARY_FILES = ["vocab.json", "merges.txt"];

function hasTokenizer(texts: ReadonlyMap<string, string>): boolean {
  return VOCABULARY_FILES.every((name) => texts.has(name)) || texts.has("tokenizer.json");
}
