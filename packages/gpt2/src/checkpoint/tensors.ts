import { type Encoding, encodings, type MatrixEncoding } from "@gpt2-ts/tensor";
import { showName } from "@gpt2-ts/tensor/options";
import type { Dtype } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";
import type { GPT2Config } from "../model/config.ts";
import { type Weight, weightsFor } from "../model/weights.ts";
import type { Checkpoint } from "./open-checkpoint.ts";
import { type ConvertedDtype, groupAxis, scalesName, scalesShape } from "./quantization.ts";
import { findTiedTable, OUTPUT_TABLE, refuseNanoGPT, storedNames } from "./tensor-names.ts";

/** Bytes that a weight takes in a model loaded with this dtype: vectors stay float32. */
export function bytesAs(dtype: MatrixEncoding, weight: Weight): number {
  if (weight.kind === "vector") return 4 * elementsOf(weight.shape);
  const [rows, columns] = weight.shape as readonly [number, number];
  const { deviceBytes } = encodings[dtype];
  // Of a table the transpose is kept.
  return groupAxis(weight) === 0 ? deviceBytes(rows, columns) : deviceBytes(columns, rows);
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

/** Causal masks, which old checkpoints contain as buffers. */
const maskBuffer = /^h\.\d+\.attn\.(bias|masked_bias)$/;
/** Names inside the stack: an unexpected one means that the checkpoint is for another computation. */
const insideStack = /^(h\.|wte|wpe|ln_f)/;
/** Of each block. */
const TENSORS_OF_A_BLOCK = 12;

/** The tensors of a checkpoint that fits its config. */
export interface CheckedTensors {
  /** What weights are called in the checkpoint, by their names without prefixes. */
  readonly names: ReadonlyMap<string, string>;
  /** Tensors beside the model, such as a classification head: they are not read. */
  readonly unused: readonly string[];
}

/** Compares a checkpoint with its config, and with what it says it was converted to, before anything is read. */
export async function checkTensors(
  checkpoint: Checkpoint,
  config: GPT2Config,
  converted: ConvertedDtype | undefined,
): Promise<CheckedTensors> {
  const { path, tensors } = checkpoint;
  const names = storedNames(checkpoint);
  await refuseNanoGPT(checkpoint, names);
  // Before the list of what is expected, which may be as long as a config likes.
  if (TENSORS_OF_A_BLOCK * config.nLayer > names.size) {
    const message = `there are ${names.size} tensors; the n_layer of this config, ${config.nLayer}, needs more`;
    throw new ModelFormatError(path, message, "n_layer");
  }
  if (config.tieWordEmbeddings) findTiedTable(names);
  const tied = config.tieWordEmbeddings && !names.has(OUTPUT_TABLE);
  const expected = expectedTensors({ ...config, tieWordEmbeddings: tied }, converted);
  const unused: string[] = [];
  for (const [name, storedAs] of names) {
    const wanted = expected.get(name);
    if (wanted === undefined) {
      if (maskBuffer.test(name)) continue;
      if (insideStack.test(name)) {
        throw new ModelFormatError(
          path,
          `unexpected tensor ${showName(storedAs)}: a GPT-2 of this config has no such tensor`,
          storedAs,
        );
      }
      unused.push(storedAs);
      continue;
    }
    const { shape, dtype } = wanted;
    const info = await tensors.info(storedAs);
    if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
      throw new ModelFormatError(
        path,
        `tensor ${storedAs} is [${info.shape.join(", ")}]; this config needs [${shape.join(", ")}]`,
        storedAs,
      );
    }
    if (dtype !== undefined && info.dtype !== dtype) {
      throw new ModelFormatError(
        path,
        `tensor ${storedAs} is ${info.dtype}; expected ${dtype} in a checkpoint converted to ${converted}`,
        storedAs,
      );
    }
    expected.delete(name);
  }
  for (const name of expected.keys()) {
    const why = name === OUTPUT_TABLE ? "; tie_word_embeddings of this config is false" : "";
    throw new ModelFormatError(path, `tensor ${name} is missing${why}`, name);
  }
  return { names, unused };
}

/** Shapes, and dtypes where only one is possible. */
function expectedTensors(config: GPT2Config, converted: ConvertedDtype | undefined) {
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly dtype?: Dtype }>();
  const encoding: Encoding | undefined = converted && encodings[converted];
  for (const weight of weightsFor(config)) {
    const { name, kind, shape } = weight;
    if (!encoding?.file) tensors.set(name, { shape });
    else if (kind === "vector") tensors.set(name, { shape, dtype: "F32" });
    else {
      const { file, integers } = encoding;
      tensors.set(name, { shape, dtype: file.dtype });
      if (integers) tensors.set(scalesName(name), { shape: scalesShape(weight, integers), dtype: "F32" });
    }
  }
  return tensors;
}
