import { OptionError } from "@gpt2-ts/tensor/options";
import { bitsPerElement, open, type TensorReader } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";
import { type GPT2Config, parseConfig } from "../../model/config.ts";
import { weightsFor } from "../../model/weights.ts";
import type { Checkpoint } from "../open-checkpoint.ts";
import { gather } from "../strided.ts";
import { type LazyTensor, tensorFile } from "../tensor-file.ts";
import { findTiedTable, storedNames } from "../tensor-names.ts";
import { isFloat } from "./floats.ts";

/** A nanoGPT model as the Hub would have it. */
export interface HubLayout {
  readonly checkpoint: Checkpoint;
  readonly config: GPT2Config;
  readonly configText: string;
}

/** What is known of a nanoGPT model besides its tensors. */
interface SaidOfNanoGPT {
  readonly configText: string | undefined;
  readonly configPath: string;
  readonly modelArgs: ReadonlyMap<unknown, unknown> | undefined;
  readonly nHead: number | undefined;
}

/**
 * Turns a checkpoint of nanoGPT's `train.py` into the Hub's layout, tensor by tensor as it is read: its matrices are `[out, in]`,
 * as `nn.Linear` keeps them, and all biases may be missing, which are then zeros.
 * https://github.com/karpathy/nanoGPT/blob/master/model.py
 *
 * @param said.configText the `config.json` beside it. Without one, the config follows from the shapes and `model_args`
 */
export async function fromNanoGPT(
  checkpoint: Checkpoint,
  { configText, configPath, modelArgs, nHead }: SaidOfNanoGPT,
): Promise<HubLayout> {
  const { path, tensors } = checkpoint;
  const names = storedNames(checkpoint);
  for (const name of names.keys()) if (maskBuffer.test(name)) names.delete(name);
  findTiedTable(names);
  if (configText !== undefined && nHead !== undefined) throw new OptionError("nHead", `${configPath} has it already`);
  const text = configText ?? (await describe(checkpoint, names, nHead ?? modelArgs?.get("n_head")));
  const config = parseConfig(text, configText === undefined ? path : configPath);

  const lazy: LazyTensor[] = [];
  const matrices = new Matrices(path, tensors);
  for (const { name, kind, shape } of weightsFor(config)) {
    const storedAs = names.get(name);
    names.delete(name);
    if (storedAs === undefined) {
      if (!name.endsWith(".bias")) throw new ModelFormatError(path, `tensor ${name} is missing`, name);
      lazy.push({ name, dtype: "F32", shape, read: async (target) => void target.fill(0) });
    } else if (kind === "matrix") lazy.push(await matrices.transposed(storedAs, name, shape));
    else lazy.push(await asIs(tensors, storedAs, name));
  }
  // What a GPT-2 does not have is told by whoever reads the result.
  for (const [name, storedAs] of names) lazy.push(await asIs(tensors, storedAs, name));
  return { checkpoint: { path, tensors: await open(tensorFile(lazy)) }, config, configText: text };
}

/** Causal masks, which versions without flash attention keep as buffers. */
const maskBuffer = /^h\.\d+\.attn\.bias$/;

async function asIs(tensors: TensorReader, storedAs: string, name: string): Promise<LazyTensor> {
  const { dtype, shape } = await tensors.info(storedAs);
  return { name, dtype, shape, read: (target, start) => tensors.readInto(storedAs, target, start) };
}

/** Matrices `[in, out]` that are stored as `[out, in]`. */
class Matrices {
  readonly #path: string;
  readonly #tensors: TensorReader;
  /** The one that is being read, as it is stored. */
  #current: { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;

  constructor(path: string, tensors: TensorReader) {
    this.#path = path;
    this.#tensors = tensors;
  }

  async transposed(storedAs: string, name: string, shape: readonly number[]): Promise<LazyTensor> {
    const [inputs, outputs] = shape as readonly [number, number];
    const info = await this.#tensors.info(storedAs);
    const fail = (message: string) => new ModelFormatError(this.#path, `tensor ${storedAs} is ${message}`, storedAs);
    if (info.shape.length !== 2 || info.shape[0] !== outputs || info.shape[1] !== inputs) {
      const isHub = info.shape.length === 2 && info.shape[0] === inputs && info.shape[1] === outputs;
      const message = `[${info.shape.join(", ")}]; nanoGPT's is [${outputs}, ${inputs}]`;
      throw fail(isHub ? `${message}: this is the Hub's layout, convert it as such` : message);
    }
    if (!isFloat(info.dtype)) throw fail(`${info.dtype}; expected floats`);
    const elementBytes = bitsPerElement(info.dtype) / 8;
    const read = async (target: Uint8Array, start: number): Promise<void> => {
      const bytes = await this.#bytesOf(storedAs);
      gather(bytes, { shape, strides: [1, inputs], elementBytes }, target, start);
    };
    return { name, dtype: info.dtype, shape, read };
  }

  async #bytesOf(name: string): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#current?.name !== name) {
      const { data } = await this.#tensors.read(name);
      this.#current = { name, bytes: new Uint8Array(data.buffer) };
    }
    return this.#current.bytes;
  }
}

/** The `config.json` of a nanoGPT model. */
async function describe(
  { path, tensors }: Checkpoint,
  names: ReadonlyMap<string, string>,
  nHead: unknown,
): Promise<string> {
  const shapeOf = async (name: string): Promise<readonly [number, number]> => {
    const storedAs = names.get(name);
    if (storedAs === undefined)
      throw new ModelFormatError(path, `tensor ${name} is missing: is this a GPT of nanoGPT?`, name);
    const { shape } = await tensors.info(storedAs);
    if (shape.length !== 2)
      throw new ModelFormatError(path, `tensor ${storedAs} is [${shape.join(", ")}]; expected a matrix`, name);
    return shape as readonly [number, number];
  };
  if (nHead === undefined) {
    throw new OptionError("nHead", `${path} does not tell the number of attention heads; expected it as an option`);
  }
  const [vocabSize, nEmbd] = await shapeOf("wte.weight");
  const [nPositions] = await shapeOf("wpe.weight");
  const layers = Array.from(names.keys(), (name) => /^h\.(\d+)\./.exec(name)?.[1]).filter(
    (layer) => layer !== undefined,
  );
  const isGPT2Vocabulary = vocabSize > END_OF_TEXT;
  const config = {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    activation_function: "gelu", // nn.GELU(): the exact one
    n_layer: new Set(layers).size,
    n_head: nHead,
    n_embd: nEmbd,
    n_positions: nPositions,
    n_ctx: nPositions,
    vocab_size: vocabSize,
    layer_norm_epsilon: 1e-5,
    tie_word_embeddings: true,
    ...(isGPT2Vocabulary && { bos_token_id: END_OF_TEXT, eos_token_id: END_OF_TEXT }),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** GPT-2's `<|endoftext|>`, which nanoGPT's data sets end texts with. */
const END_OF_TEXT = 50256;
