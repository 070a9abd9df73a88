import {
  type AnyTensor,
  type Backend,
  type DeviceChoice,
  dim,
  fillAsync,
  type MatrixEncoding,
  packAsync,
  type Tensor,
} from "@gpt2-ts/tensor";
import { checkTensors } from "./checkpoint-tensors.ts";
import { disposeCompiledPasses } from "./compiled-score.ts";
import { type GPT2Config, parseConfig } from "./config.ts";
import { ModelFormatError } from "./errors.ts";
import type { Block, LayerNorm, Linear, Model, Sizes, Weights } from "./model.ts";
import { type ModelSource, openCheckpoint } from "./model-source.ts";
import { checkChoice } from "./options.ts";
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
export const DTYPES: readonly MatrixEncoding[] = ["f32", "bf16"];

export interface LoadModelOptions {
  /**
   * How matrices and embeddings are kept, whatever the checkpoint's precision: `"f32"` (default), or `"bf16"`, which
   * rounds them to bfloat16: half the memory, and half of it to read for each token. Vectors stay float32, and so does all
   * arithmetic.
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
 * F16, BF16 or F64.
 *
 * Throws {@link ModelFormatError} for a tensor that is missing, misshapen or unknown, what safetensors-ts throws for
 * a broken file, and {@link OptionError}; then nothing stays allocated.
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<Model> {
  const { dtype = "f32", device, onProgress, signal } = options;
  checkChoice("dtype", dtype, DTYPES);
  const config = await loadConfig(source);
  const sizes = sizesOf(config);
  const checkpoint = await openCheckpoint(source, { signal });
  await using tensors = checkpoint.tensors;
  const names = await checkTensors(checkpoint, config);
  const total = names.reduce((sum, { shape }) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
  const stored = new Map(names.map(({ name, storedAs }) => [name, storedAs]));
  let loaded = 0;
  const taken: AnyTensor[] = [];

  const advance = (name: string, elements: number): void => {
    loaded += elements;
    onProgress?.({ tensor: name, loaded, total });
  };
  const read = async <const S extends readonly number[]>(name: string, shape: S) => {
    signal?.throwIfAborted();
    const tensor = await fillAsync(shape, (data) => tensors.readFloat32Into(stored.get(name)!, data), { device });
    taken.push(tensor);
    advance(name, tensor.size);
    return tensor;
  };
  const norm = async (prefix: string): Promise<LayerNorm> => ({
    weight: await read(`${prefix}.weight`, [sizes.C]),
    bias: await read(`${prefix}.bias`, [sizes.C]),
  });
  const linear = async <In extends number, Out extends number>(
    prefix: string,
    inputs: In,
    outputs: Out,
  ): Promise<Linear<In, Out>> => {
    using matrix = await read(`${prefix}.weight`, [inputs, outputs]);
    const weight = matrix.pack(dtype);
    taken.push(weight);
    return { weight, bias: await read(`${prefix}.bias`, [outputs]) };
  };
  /** A table of vectors, the columns of a packed matrix: for the tokens' the logits are the products of x with them. */
  const table = async <Rows extends number>(name: string, rows: Rows): Promise<Tensor<[Rows, Sizes["C"]]>> => {
    const readRows = async (data: Float32Array, first: number): Promise<void> => {
      signal?.throwIfAborted();
      await tensors.readFloat32Into(stored.get(name)!, data, first * sizes.C);
      advance(name, data.length);
    };
    using columns = await packAsync([sizes.C, rows], readRows, { encoding: dtype, device });
    const result = columns.transpose() as Tensor<[Rows, Sizes["C"]]>;
    taken.push(result);
    return result;
  };

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

async function requiredText(source: ModelSource, file: string): Promise<string> {
  const text = await source.text(file);
  if (text === undefined) throw new ModelFormatError(source.path(file), "there is no such file");
  return text;
}
