import {
  type AnyTensor,
  type Backend,
  type DeviceChoice,
  defaultDevice,
  device as deviceByName,
  dim,
  fillAsync,
  type MatrixEncoding,
  type Tensor,
} from "@gpt2-ts/tensor";
import { disposeCompiledPasses } from "./compiled-score.ts";
import { type GPT2Config, parseConfig } from "./config.ts";
import { ModelFormatError } from "./errors.ts";
import { loadMatrix, loadTable } from "./load-matrix.ts";
import type { Block, LayerNorm, Linear, Model, Sizes } from "./model.ts";
import { type ModelSource, openCheckpoint } from "./model-source.ts";
import { checkChoice, OptionError } from "./options.ts";
import { StoredWeights } from "./stored-weights.ts";
import { Tokenizer } from "./tokenizer.ts";

/** How far loading has come. */
export interface LoadProgress {
  /** The tensor that was read last. */
  readonly tensor: string;
  /** Parameters read so far, and all there are. */
  readonly loaded: number;
  readonly total: number;
}

/** How weights can be kept. */
export const DTYPES: readonly MatrixEncoding[] = ["f32", "bf16", "int8"];

export interface LoadModelOptions {
  /**
   * How matrices and embeddings are kept, whatever the checkpoint's precision: `"f32"`; `"bf16"`, which rounds them to
   * bfloat16, half the memory; or `"int8"`, a quarter of it, which also quantizes what they are multiplied by, to 14 bits
   * (docs/quantization.md). Vectors stay float32, and so does all arithmetic but the sums of an int8 product. Default: what
   * the checkpoint was converted to, or else `"f32"`.
   */
  readonly dtype?: MatrixEncoding | undefined;
  /** Where the weights go; the default device unless told otherwise. */
  readonly device?: DeviceChoice | Backend | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads and checks `config.json`. */
export async function loadConfig(source: ModelSource): Promise<GPT2Config> {
  return parseConfig(await requiredText(source, "config.json"), source.path("config.json"));
}

/** Reads the tokenizer: `vocab.json` and `merges.txt`. */
export async function loadTokenizer(source: ModelSource): Promise<Tokenizer> {
  const [vocab, merges] = [await requiredText(source, "vocab.json"), await requiredText(source, "merges.txt")];
  const fileNames = { vocab: source.path("vocab.json"), merges: source.path("merges.txt") };
  return Tokenizer.fromVocab({ vocab, merges, fileNames });
}

/**
 * Reads a checkpoint's weights onto a device and lays them out for its matmul, converting as it reads: at no moment does
 * more than one layer's matrix exist twice. Names may carry the Hub's `transformer.` prefix; the checkpoint may hold F32,
 * F16, BF16 or F64, or be one that `gpt2 convert` wrote.
 *
 * Throws {@link ModelFormatError} for a tensor that is missing, misshapen or unknown, what safetensors-ts throws for
 * a broken file, and {@link OptionError}; then nothing stays allocated.
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<Model> {
  const { onProgress, signal } = options;
  checkChoice("dtype", options.dtype, DTYPES);
  const config = await loadConfig(source);
  const sizes = sizesOf(config);
  const checkpoint = await openCheckpoint(source, { signal });
  await using _ = checkpoint.tensors;
  const weights = await StoredWeights.of(checkpoint, config);
  const dtype = options.dtype ?? weights.converted ?? "f32";
  const device = resolveDevice(options.device);
  if (device.name === "gpu" && dtype !== "f32") {
    throw new OptionError("dtype", `the gpu device keeps weights as "f32" only, got ${JSON.stringify(dtype)}`);
  }
  const total = weights.parameters;
  let loaded = 0;
  const taken: AnyTensor[] = [];
  const take = <T extends AnyTensor>(tensor: T): T => {
    taken.push(tensor);
    return tensor;
  };

  const advance = (tensor: string, elements: number): void => {
    loaded += elements;
    onProgress?.({ tensor, loaded, total });
    signal?.throwIfAborted();
  };
  const destination = { weights, device, dtype, advance };
  const vector = async <N extends number>(name: string, size: N): Promise<Tensor<[N]>> => {
    const result = take(await fillAsync([size], (data) => weights.readFloats(name, data), { device }));
    advance(name, size);
    return result;
  };
  const norm = async (prefix: string): Promise<LayerNorm> => ({
    weight: await vector(`${prefix}.weight`, sizes.C),
    bias: await vector(`${prefix}.bias`, sizes.C),
  });
  const linear = async <In extends number, Out extends number>(
    prefix: string,
    inputs: In,
    outputs: Out,
  ): Promise<Linear<In, Out>> => ({
    weight: take(await loadMatrix(destination, `${prefix}.weight`, [inputs, outputs])),
    bias: await vector(`${prefix}.bias`, outputs),
  });
  const table = async <Rows extends number>(name: string, rows: Rows): Promise<Tensor<[Rows, Sizes["C"]]>> =>
    take(await loadTable(destination, name, [rows, sizes.C]));

  try {
    const { C, F, QKV, positions } = sizes;
    const wte = await table("wte.weight", sizes.V);
    const wpe = await table("wpe.weight", positions);
    const h: Block[] = [];
    for (let i = 0; i < config.nLayer; i++) {
      h.push({
        ln1: await norm(`h.${i}.ln_1`),
        attn: {
          cAttn: await linear(`h.${i}.attn.c_attn`, C, QKV),
          cProj: await linear(`h.${i}.attn.c_proj`, C, C),
        },
        ln2: await norm(`h.${i}.ln_2`),
        mlp: { cFc: await linear(`h.${i}.mlp.c_fc`, C, F), cProj: await linear(`h.${i}.mlp.c_proj`, F, C) },
      });
    }
    const lnF = await norm("ln_f");
    const lmHead = config.tieWordEmbeddings ? wte : await table("lm_head.weight", sizes.V);
    return { config, sizes, weights: { wte, wpe, h, lnF, lmHead } };
  } catch (error) {
    for (const tensor of taken) tensor.dispose();
    throw error;
  }
}

/** Gives a model's weights back to their device, and what scoring keeps for it there. */
export function disposeModel(model: Model): void {
  disposeCompiledPasses(model);
  const { wte, wpe, h, lnF, lmHead } = model.weights;
  const layers = h.flatMap(({ ln1, attn, ln2, mlp }) => [ln1, attn.cAttn, attn.cProj, ln2, mlp.cFc, mlp.cProj]);
  for (const { weight, bias } of [...layers, lnF]) {
    weight.dispose();
    bias.dispose();
  }
  for (const table of [wte, wpe, lmHead]) table.dispose();
}

function sizesOf({ nEmbd, nHead, nInner, vocabSize, nPositions }: GPT2Config): Sizes {
  return {
    C: dim("C", nEmbd),
    H: dim("H", nHead),
    D: dim("D", nEmbd / nHead),
    V: dim("V", vocabSize),
    F: dim("F", nInner),
    QKV: dim("3C", 3 * nEmbd),
    positions: dim("n_positions", nPositions),
  };
}

function resolveDevice(device: LoadModelOptions["device"]): Backend {
  if (device === undefined) return defaultDevice();
  return typeof device === "string" ? deviceByName(device) : device;
}

async function requiredText(source: ModelSource, file: string): Promise<string> {
  const text = await source.text(file);
  if (text === undefined) throw new ModelFormatError(source.path(file), "there is no such file");
  return text;
}
