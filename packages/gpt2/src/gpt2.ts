import type { Backend, Tensor } from "@gpt2-ts/tensor";
import { checkOptionNames } from "@gpt2-ts/tensor/options";
import { locatePretrained } from "#pretrained";
import { compareVocabularies } from "./checkpoint/compare-vocabularies.ts";
import { loadModel } from "./checkpoint/load.ts";
import { loadGenerationFields } from "./checkpoint/load-generation-config.ts";
import { loadTokenizer } from "./checkpoint/load-tokenizer.ts";
import { type ModelFiles, type ModelSource, modelSource } from "./checkpoint/source/index.ts";
import { Context } from "./generate/context.ts";
import type { GenerationDefaults } from "./generate/defaults.ts";
import { oneByOne, resultOf, textPieces } from "./generate/event-streams.ts";
import { type GenerateAllOptions, generateEvents, generateTogether } from "./generate/generate.ts";
import type { GenerateOptions } from "./generate/options.ts";
import type { Generation, GenerationEvent } from "./generate/text.ts";
import type { GenerateRequest, LanguageModel, Text } from "./language-model.ts";
import {
  type FromPretrainedOptions,
  type LoadOptions,
  loadOptionNames,
  pretrainedLoadOptionNames,
} from "./load-options.ts";
import type { GPT2Config } from "./model/config.ts";
import { disposeModel } from "./model/dispose.ts";
import { allLogits, attentionMaps, type HiddenStates, hiddenStates } from "./model/inspect.ts";
import type { H, Model, T, V } from "./model/model.ts";
import { openDevice } from "./open-device.ts";
import { checkFlag } from "./options.ts";
import { expectArray, promptsOf } from "./requests.ts";
import { type Score, scoreTexts } from "./score/text.ts";
import type { ScoreOptions } from "./score/tokens.ts";
import { idsOf } from "./text-ids.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";
import { type WarningListener, warnOnConsole } from "./warning.ts";

/**
 * GPT-2 with its tokenizer: generates, scores, and shows what is inside.
 *
 *     using model = await GPT2.load("weights/stories");
 *     for await (const piece of model.stream("Once upon a time", { maxTokens: 50, seed: 1 })) process.stdout.write(piece);
 *     const { logLikelihood, tokens } = await model.score("Once upon a time");
 *
 * The methods throw OptionError for options that are unknown or out of range, TokenIdError for ids outside the
 * vocabulary, and ContextLengthError for texts that are longer than `config.nPositions` tokens.
 */
export class GPT2 implements LanguageModel {
  /** Config and weights, for the functions that work on them. */
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  /** What `generate` and `stream` do where an option is not given: nothing of its own, unless loaded with `useGenerationConfig`. */
  readonly generationDefaults: GenerationDefaults;
  readonly #release: () => void;

  /** Use {@link GPT2.load} or {@link GPT2.fromPretrained}; this is for models that come from elsewhere. */
  constructor(
    model: Model,
    tokenizer: Tokenizer,
    release: () => void = () => {},
    generationDefaults: GenerationDefaults = {},
  ) {
    if (model?.weights === undefined || tokenizer?.encode === undefined) {
      throw new TypeError(
        "GPT2: expected a model and its tokenizer; GPT2.load and GPT2.fromPretrained make one by its name",
      );
    }
    this.model = model;
    this.tokenizer = tokenizer;
    this.generationDefaults = generationDefaults;
    this.#release = release;
  }

  /**
   * Loads a model folder as the Hugging Face Hub lays it out: a path (Node), a URL, or the files themselves by name. In a
   * browser a string is a URL, which may be relative to the page.
   *
   * @throws ModelFormatError for a folder or file that is missing or malformed, SafetensorsError for a broken checkpoint,
   *   TokenizerError for a broken vocabulary, OptionError; `signal.reason` when aborted
   */
  static async load(where: string | URL | ModelFiles, options: LoadOptions = {}): Promise<GPT2> {
    checkOptionNames(options, loadOptionNames);
    checkFlag("useGenerationConfig", options.useGenerationConfig);
    const { device, release } = await openDevice(options);
    try {
      const source = await modelSource(where, options.signal);
      const { dtype, cacheDtype, trainable, onProgress, onWarning = warnOnConsole, signal } = options;
      const tokenizer = await loadTokenizer(source, { onWarning });
      const defaults = options.useGenerationConfig ? await askedFor(source, onWarning) : {};
      const model = await loadModel(source, { device, dtype, cacheDtype, trainable, onProgress, onWarning, signal });
      const gpt2 = new GPT2(model, tokenizer, release, defaults);
      compareVocabularies(source, tokenizer, model.config, onWarning);
      return gpt2;
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Loads a model of the Hugging Face Hub by its name, such as `"gpt2"`, `"distilgpt2"` or `"openai-community/gpt2-xl"`.
   * It is downloaded once: in Node into the cache that Python's `huggingface_hub` shares, in a page into the browser's storage,
   * converted to `dtype` (docs/browser.md).
   *
   * @throws HubError if the model cannot be downloaded, and what {@link GPT2.load} throws
   */
  static async fromPretrained(name: string, options: FromPretrainedOptions = {}): Promise<GPT2> {
    checkOptionNames(options, pretrainedLoadOptionNames);
    const {
      device,
      threads,
      deterministic,
      gpuMode,
      dtype,
      cacheDtype,
      onProgress,
      onWarning,
      useGenerationConfig,
      trainable,
      ...pretrained
    } = options;
    checkFlag("cache", options.cache);
    checkFlag("offline", options.offline);
    using found = await locatePretrained(name, { ...pretrained, dtype, onProgress, onWarning });
    return await GPT2.load(found.where, {
      device,
      threads,
      deterministic,
      gpuMode,
      dtype,
      cacheDtype,
      onWarning,
      useGenerationConfig,
      trainable,
      signal: options.signal,
      onProgress: onProgress && ((progress) => onProgress({ type: "load", ...progress })),
    });
  }

  get config(): GPT2Config {
    return this.model.config;
  }

  /** What the model runs on. */
  get device(): Backend {
    return this.model.weights.wte.device;
  }

  /**
   * Continues a prompt; yields the text as it comes, in pieces of whole characters. The generator's return value is what
   * {@link GPT2.generate} resolves to. Leaving the loop early frees what it used.
   *
   * An empty prompt stands for the beginning of a text: `bos_token_id` of the config, or else `<|endoftext|>`. Ids that the
   * tokenizer has no token for, as those of a padded vocabulary, are never drawn.
   */
  stream(prompt: Text, options: GenerateOptions = {}): AsyncGenerator<string, Generation> {
    return textPieces(this.events(prompt, options));
  }

  /**
   * The same, token by token: each with its text, its id and, if asked for, log-probabilities; and at the end why it ended, and
   * what it took.
   *
   *     for await (const event of model.events("Once upon a time", { maxTokens: 20, top: 3 })) {
   *       if (event.type === "token") console.log(event.token, event.logprob, event.alternatives);
   *       else console.log(event.finishReason, event.usage);
   *     }
   */
  events(prompt: Text, options: GenerateOptions = {}): AsyncGenerator<GenerationEvent, Generation> {
    return generateEvents(this, idsOf("generate", this.tokenizer, prompt), options);
  }

  /** Continues a prompt. */
  async generate(prompt: Text, options: GenerateOptions = {}): Promise<Generation> {
    return resultOf(this.events(prompt, options));
  }

  /**
   * Continues several prompts, or one several times, together: each pass of the model takes all texts one token further, which is
   * several times as fast as one after another. Each text is the same, bit for bit, as if generated alone with its seed (on gpu
   * the last bits may differ). Options for all prompts are the second argument; a prompt can have its own.
   *
   *     const fourTexts = await model.generateAll(["Once upon a time"], { samples: 4, seed: 1, maxTokens: 20 });
   *     const two = await model.generateAll(["He said", { prompt: "She said", temperature: 0 }], { maxTokens: 20 });
   *
   * @returns the generations in the order of the prompts, and of each prompt's samples. One whose own signal was aborted has the
   *   `finishReason` "aborted", and the text so far
   */
  async generateAll(
    prompts: readonly (Text | GenerateRequest)[],
    options: GenerateAllOptions = {},
  ): Promise<Generation[]> {
    return resultOf(generateTogether(this, promptsOf("generateAll", prompts, this.tokenizer), options));
  }

  /** The same, token by token: as {@link GPT2.events}, of all texts in turn. The `index` of an event is its text's place in the result. */
  eventsAll(
    prompts: readonly (Text | GenerateRequest)[],
    options: GenerateAllOptions = {},
  ): AsyncGenerator<GenerationEvent, Generation[]> {
    const together = generateTogether(this, promptsOf("eventsAll", prompts, this.tokenizer), options);
    return oneByOne(together, options.signal);
  }

  /** How likely the model finds a text: the log-probability of each token given those before it, and summaries. */
  async score(text: Text, options: ScoreOptions = {}): Promise<Score> {
    const [score] = await scoreTexts(this.model, this.tokenizer, [idsOf("score", this.tokenizer, text)], options);
    return score!;
  }

  /** Scores many texts, packed into few passes: faster than one by one, with the same bits. Results are in the order of the texts. */
  async scoreAll(texts: readonly Text[], options: ScoreOptions = {}): Promise<Score[]> {
    expectArray("scoreAll", "texts", texts, "score");
    const ids = texts.map((text) => idsOf("scoreAll", this.tokenizer, text));
    return scoreTexts(this.model, this.tokenizer, ids, options);
  }

  /**
   * A text in progress, for algorithms of your own: append tokens, look at the logits, try many continuations that share
   * what came before.
   *
   * @param options.capacity the tokens there is room for, `n_positions` by default
   */
  context(options: { readonly capacity?: number | undefined } = {}): Context {
    return new Context(this.model, options);
  }

  /** The scores of every token of the vocabulary after each token of a text, `[T, V]`. The caller disposes of them. */
  logits(text: Text): Tensor<[number, V]> {
    return allLogits(this.model, idsOf("logits", this.tokenizer, text));
  }

  /** The residual stream after each block and before the logits, `[T, C]` each. The caller disposes of them. */
  hiddenStates(text: Text): HiddenStates {
    return hiddenStates(this.model, idsOf("hiddenStates", this.tokenizer, text));
  }

  /**
   * How much each token attends to each other, for each layer, `[H, T, T]`: row t holds the probabilities of columns 0..t, then
   * zeros. The caller disposes of them.
   */
  attentionMaps(text: Text): Tensor<[H, T, number]>[] {
    return attentionMaps(this.model, idsOf("attentionMaps", this.tokenizer, text));
  }

  /** Frees the weights, and the device if the model has one of its own. */
  dispose(): void {
    disposeModel(this.model);
    this.#release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What the model's `generation_config.json` asks for. Few ask for it: its code is a file of its own in bundles. */
async function askedFor(source: ModelSource, onWarning: WarningListener): Promise<GenerationDefaults> {
  const asked = await loadGenerationFields(source);
  if (asked === undefined) return {};
  const { generationDefaults } = await import("./generate/generation-config.ts");
  return generationDefaults(asked, onWarning);
}
