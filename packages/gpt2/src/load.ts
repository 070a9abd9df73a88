import { type AnyTensor, type Backend, type DeviceChoice, dim, fillAsync, type Tensor } from "@gpt2-ts/tensor";
import { type GPT2Config, parseConfig } from "./config.ts";
import { ModelFormatError } from "./errors.ts";
import type { Block, LayerNorm, Linear, Model, Sizes, Weights } from "./model.ts";
import { type Checkpoint, type ModelSource, openCheckpoint } from "./model-source.ts";
import { Tokenizer } from "./tokenizer.ts";

/** How far loading has come. */
export interface LoadProgress {
  /** The tensor that was read last. */
  readonly tensor: string;
  /** Parameters read so far, and all there are. */
  readonly loaded: number;
  readonly total: number;
}

export interface LoadModelOptions {
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
 * Reads a checkpoint's weights onto a device, one tensor at a time, and lays them out for its matmul: at no moment does
 * more than one tensor exist twice. Names may carry the Hub's `transformer.` prefix; F16, BF16 and F64 become float32.
 *
 * Throws {@link ModelFormatError} for a tensor that is missing, misshapen or unknown, and what safetensors-ts throws for
 * a broken file; then nothing stays allocated.
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<Model> {
  const { device, onProgress, signal } = options;
  const config = await loadConfig(source);
  const sizes = sizesOf(config);
  const checkpoint = await openCheckpoint(source, { signal });
  await using tensors = checkpoint.tensors;
  const names = await checkTensors(checkpoint, config);
  const total = names.reduce((sum, { shape }) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
  const stored = new Map(names.map(({ name, storedAs }) => [name, storedAs]));
  let loaded = 0;
  const taken: AnyTensor[] = [];

  const read = async <const S extends readonly number[]>(name: string, shape: S) => {
    signal?.throwIfAborted();
    const tensor = await fillAsync(shape, (data) => tensors.readFloat32Into(stored.get(name)!, data), { device });
    taken.push(tensor);
    loaded += tensor.size;
    onProgress?.({ tensor: name, loaded, total });
    return tensor;
  };
  /** Replaces a tensor by itself in the layout of matmul's right operand. */
  const packed = <A extends number, B extends number>(matrix: Tensor<[A, B]>): Tensor<[A, B]> => {
    const result = matrix.pack();
    matrix.dispose();
    taken.push(result);
    return result;
  };
  const norm = async (prefix: string): Promise<LayerNorm> => ({
    weight: await read(`${prefix}.weight`, [sizes.C]),
    bias: await read(`${prefix}.bias`, [sizes.C]),
  });
  const linear = async <In extends number, Out extends number>(
    prefix: string,
    inputs: In,
    outputs: Out,
  ): Promise<Linear<In, Out>> => ({
    weight: packed(await read(`${prefix}.weight`, [inputs, outputs])),
    bias: await read(`${prefix}.bias`, [outputs]),
  });
  /** A table of token vectors: the logits are its rows' products with x, so its transpose is packed. */
  const tokenTable = async (name: string): Promise<Weights["wte"]> => {
    using table = await read(name, [sizes.V, sizes.C]);
    using columns = packed(table.transpose());
    const result = columns.transpose();
    taken.push(result);
    return result;
  };

  try {
    const { C, F, QKV, positions } = sizes;
    const wte = await tokenTable("wte.weight");
    const wpe = await read("wpe.weight", [positions, C]);
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
    const lmHead = config.tieWordEmbeddings ? wte : await tokenTable("lm_head.weight");
    return { config, sizes, weights: { wte, wpe, h, lnF, lmHead } };
  } catch (error) {
    for (const tensor of taken) tensor.dispose();
    throw error;
  }
}

/** Gives a model's weights back to their device. */
export function disposeModel({ weights: { wte, wpe, h, lnF, lmHead } }: Model): void {
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

/** The tensors a model of this config is made of, by the Hub's names without prefix. */
export function expectedShapes(config: GPT2Config): Map<string, readonly number[]> {
  const { nLayer, nEmbd: C, nInner: F, vocabSize: V, nPositions, tieWordEmbeddings } = config;
  const shapes = new Map<string, readonly number[]>([
    ["wte.weight", [V, C]],
    ["wpe.weight", [nPositions, C]],
    ["ln_f.weight", [C]],
    ["ln_f.bias", [C]],
  ]);
  for (let i = 0; i < nLayer; i++) {
    for (const norm of ["ln_1", "ln_2"]) {
      shapes.set(`h.${i}.${norm}.weight`, [C]);
      shapes.set(`h.${i}.${norm}.bias`, [C]);
    }
    const matrices = [
      ["attn.c_attn", C, 3 * C],
      ["attn.c_proj", C, C],
      ["mlp.c_fc", C, F],
      ["mlp.c_proj", F, C],
    ] as const;
    for (const [name, inputs, outputs] of matrices) {
      shapes.set(`h.${i}.${name}.weight`, [inputs, outputs]);
      shapes.set(`h.${i}.${name}.bias`, [outputs]);
    }
  }
  if (!tieWordEmbeddings) shapes.set("lm_head.weight", [V, C]);
  return shapes;
}

const prefix = "transformer.";
/** Causal masks that old checkpoints carry as buffers. */
const maskBuffer = /^h\.\d+\.attn\.(bias|masked_bias)$/;
/** Names inside the stack: one that is not expected means that the checkpoint computes something else. */
const insideStack = /^(h\.|wte|wpe|ln_f)/;

/** Compares a checkpoint with its config before anything is read. */
async function checkTensors({ path, tensors }: Checkpoint, config: GPT2Config) {
  const expected = expectedShapes(config);
  const found: { name: string; storedAs: string; shape: readonly number[] }[] = [];
  for (const storedAs of tensors.names) {
    const name = storedAs.startsWith(prefix) ? storedAs.slice(prefix.length) : storedAs;
    const shape = expected.get(name);
    if (shape === undefined) {
      if (insideStack.test(name) && !maskBuffer.test(name)) {
        throw new ModelFormatError(
          path,
          `unexpected tensor ${storedAs}: GPT-2 of this config has none of that name`,
          storedAs,
        );
      }
      continue;
    }
    const actual = (await tensors.info(storedAs)).shape;
    if (actual.length !== shape.length || actual.some((size, i) => size !== shape[i])) {
      throw new ModelFormatError(
        path,
        `tensor ${storedAs} is [${actual.join(", ")}]; this config needs [${shape.join(", ")}]`,
        storedAs,
      );
    }
    expected.delete(name);
    found.push({ name, storedAs, shape });
  }
  for (const name of expected.keys()) {
    throw new ModelFormatError(path, `tensor ${name} is missing`, name);
  }
  return found;
}

async function requiredText(source: ModelSource, file: string): Promise<string> {
  const text = await source.text(file);
  if (text === undefined) throw new ModelFormatError(source.path(file), "there is no such file");
  return text;
}
