import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { Dtype } from "safetensors-ts";
import type { GPT2Config } from "./config.ts";
import { ModelFormatError } from "./errors.ts";
import type { Checkpoint } from "./model-source.ts";
import { type ConvertedDtype, scalesName, scalesShape, storedDtypes } from "./quantization.ts";

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

/** Bytes that a tensor takes when a model is loaded with this dtype: vectors stay float32. */
export function bytesAs(dtype: MatrixEncoding, name: string, shape: readonly number[]): number {
  const [rows, columns] = shape;
  if (columns === undefined || dtype === "f32") return 4 * elementsOf(shape);
  if (dtype === "bf16") return 2 * elementsOf(shape);
  // With each scale the kernels keep the sum of its integers, in 16 bits.
  return elementsOf(shape) + 6 * elementsOf(scalesShape(name, [rows!, columns]));
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

const prefix = "transformer.";
/** Causal masks that old checkpoints carry as buffers. */
const maskBuffer = /^h\.\d+\.attn\.(bias|masked_bias)$/;
/** Names inside the stack: one that is not expected means that the checkpoint computes something else. */
const insideStack = /^(h\.|wte|wpe|ln_f)/;

/** A tensor of a checkpoint that was looked for. */
export interface FoundTensor {
  /** Its name without prefix, and the one it has in the checkpoint. */
  readonly name: string;
  readonly storedAs: string;
  readonly shape: readonly number[];
}

/** Compares a checkpoint with its config, and with what it says it was converted to, before anything is read. */
export async function checkTensors(
  { path, tensors }: Checkpoint,
  config: GPT2Config,
  converted: ConvertedDtype | undefined,
): Promise<FoundTensor[]> {
  const expected = expectedTensors(config, converted);
  const found: FoundTensor[] = [];
  for (const storedAs of tensors.names) {
    const name = storedAs.startsWith(prefix) ? storedAs.slice(prefix.length) : storedAs;
    const wanted = expected.get(name);
    if (wanted === undefined) {
      if (insideStack.test(name) && !maskBuffer.test(name)) {
        throw new ModelFormatError(
          path,
          `unexpected tensor ${storedAs}: GPT-2 of this config has none of that name`,
          storedAs,
        );
      }
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
        `tensor ${storedAs} is ${info.dtype}; a checkpoint converted to ${converted} has it in ${dtype}`,
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

/** Shapes, and dtypes where there is only one that will do. */
function expectedTensors(config: GPT2Config, converted: ConvertedDtype | undefined) {
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly dtype?: Dtype }>();
  for (const [name, shape] of expectedShapes(config)) {
    const [rows, columns] = shape;
    if (converted === undefined) tensors.set(name, { shape });
    else if (columns === undefined) tensors.set(name, { shape, dtype: "F32" });
    else {
      tensors.set(name, { shape, dtype: storedDtypes[converted] });
      if (converted === "int8") {
        tensors.set(scalesName(name), { shape: scalesShape(name, [rows!, columns]), dtype: "F32" });
      }
    }
  }
  return tensors;
}
