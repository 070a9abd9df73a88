import {
  type Backend,
  backendOf,
  type DeviceChoice,
  encodings,
  type MatrixEncoding,
  type Tensor,
} from "@gpt2-ts/tensor";
import { checkChoice, OptionError } from "@gpt2-ts/tensor/options";
import { type GPT2Config, parseConfig, tokenIds } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import { buildWeights, parameterCount, sizesOf, weightsFor } from "../model/weights.ts";
import { checkFlag } from "../options.ts";
import { type WarningListener, warnOnConsole } from "../warning.ts";
import { loadGenerationFields } from "./load-generation-config.ts";
import { loadWeight } from "./load-weight.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import type { ModelSource } from "./source/index.ts";
import { requiredText } from "./source/required-text.ts";
import { StoredWeights } from "./stored-weights.ts";

/** How far loading has come. */
export interface LoadProgress {
  /** The tensor that was read last. */
  readonly tensor: string;
  /** Parameters read so far, and in total. */
  readonly loaded: number;
  readonly total: number;
}

/** How weights can be kept. */
export const DTYPES = Object.keys(encodings) as readonly MatrixEncoding[];

export interface LoadModelOptions {
  /**
   * How matrices and embeddings are kept, whatever the checkpoint's precision: `"f32"`; `"bf16"`, which rounds them to
   * bfloat16, half the memory; or `"int8"`, a quarter of it, which also quantizes what they are multiplied by, to 8 bits
   * (docs/quantization.md). Vectors stay float32, and so does all arithmetic but the sums of an int8 product. Default: what
   * the checkpoint was converted to, or else `"f32"`.
   */
  readonly dtype?: MatrixEncoding | undefined;
  /**
   * How keys and values are kept, in the KV cache and in every pass: `"f32"`; `"bf16"`, rounded to bfloat16, half the memory;
   * or `"int8"`, 8-bit integers with a scale for each head and position, about a quarter (docs/quantization.md). Default: see
   * {@link defaultCacheDtype}.
   */
  readonly cacheDtype?: MatrixEncoding | undefined;
  /**
   * Whether the weights are to be trained: they then lie as in the checkpoint, in float32, where otherwise matrices are laid out for
   * the device's products and can only be read. Results are the same, slower. Default false.
   */
  readonly trainable?: boolean | undefined;
  /** Where the weights go. Default: the default device. */
  readonly device?: DeviceChoice | Backend | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Told of what its user should know about the model's files, a sentence each. Default: `console.warn`. */
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How keys and values are kept beside weights of a dtype: float32 beside `"f32"` and `"bf16"`, whose results they would change;
 * bfloat16 beside `"int8"`, to whose errors it adds next to nothing (docs/quantization.md has the measurements).
 */
export function defaultCacheDtype(dtype: MatrixEncoding): MatrixEncoding {
  return dtype === "int8" ? "bf16" : "f32";
}

/** Reads and checks `config.json`. Where texts begin and end, `generation_config.json` has the last word. */
export async function loadConfig(source: ModelSource): Promise<GPT2Config> {
  const config = parseConfig(await requiredText(source, "config.json"), source.path("config.json"));
  const generation = await loadGenerationFields(source);
  if (generation === undefined) return config;
  const ids = (field: "bos_token_id" | "eos_token_id") => tokenIds(generation.fields, field, generation.file);
  const [bosTokenId = config.bosTokenId] = ids("bos_token_id");
  const eosTokenIds = ids("eos_token_id");
  return { ...config, bosTokenId, eosTokenIds: eosTokenIds.length > 0 ? eosTokenIds : config.eosTokenIds };
}

/**
 * Reads a checkpoint's weights onto a device and lays them out for its matmul, converting as it reads: never more than one
 * layer's matrix exists twice. Names may have the prefixes `transformer.`, `_orig_mod.` and `module.`; the checkpoint may hold F32,
 * F16, BF16 or F64, or be one that `gpt2 convert` wrote.
 *
 * @throws ModelFormatError for a tensor that is missing, unknown or of the wrong shape; what safetensors-ts throws for a broken
 *   file; OptionError. Nothing stays allocated then
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<Model> {
  const { onProgress, onWarning = warnOnConsole, signal, trainable = false } = options;
  checkFlag("trainable", trainable);
  checkChoice("dtype", options.dtype, DTYPES);
  checkChoice("cacheDtype", options.cacheDtype, DTYPES);
  const said = await loadConfig(source);
  const checkpoint = await openCheckpoint(source, { signal });
  const tensors = new Map<string, Tensor>();
  try {
    const weights = await StoredWeights.of(checkpoint, said, onWarning);
    const { config } = weights;
    const dtype = options.dtype ?? (trainable ? undefined : weights.converted) ?? "f32";
    if (trainable && dtype !== "f32") throw new OptionError("trainable", `weights kept as ${dtype} cannot be trained`);
    const device = backendOf(options.device);
    expectKept(device, "dtype", "weights", dtype);
    const cacheDtype = options.cacheDtype ?? defaultCacheDtype(dtype);
    expectKept(device, "cacheDtype", "keys and values", cacheDtype);
    const total = parameterCount(config);
    let loaded = 0;
    const advance = (tensor: string, elements: number): void => {
      loaded += elements;
      onProgress?.({ tensor, loaded, total });
      signal?.throwIfAborted();
    };
    for (const weight of await weights.inFileOrder(weightsFor(config))) {
      tensors.set(weight.name, await loadWeight(weight, { weights, device, dtype, trainable, advance }));
    }
    const named = buildWeights(config, ({ name }) => tensors.get(name)!);
    return { config, sizes: sizesOf(config), weights: named, cacheDtype };
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose();
    throw error;
  } finally {
    await checkpoint.tensors.close();
  }
}

/** Throws an {@link OptionError} for an encoding that a device has no kernels for. */
function expectKept({ name, encodings }: Backend, option: string, what: string, dtype: MatrixEncoding): void {
  if (encodings.includes(dtype)) return;
  const known = encodings.map((encoding) => JSON.stringify(encoding)).join(", ");
  throw new OptionError(option, `the ${name} device keeps ${what} as ${known} only, got ${JSON.stringify(dtype)}`);
}
