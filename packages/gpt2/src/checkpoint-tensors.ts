import type { MatrixEncoding } from "@gpt2-ts/tensor";
import type { GPT2Config } from "./config.ts";
import { ModelFormatError } from "./errors.ts";
import type { Checkpoint } from "./model-source.ts";

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

/** Bytes that a tensor of this shape takes when a model is loaded with this dtype: vectors stay float32. */
export function bytesAs(dtype: MatrixEncoding, shape: readonly number[]): number {
  const elements = shape.reduce((size, dim) => size * dim, 1);
  return elements * (shape.length === 2 && dtype === "bf16" ? 2 : 4);
}

const prefix = "transformer.";
/** Causal masks that old checkpoints carry as buffers. */
const maskBuffer = /^h\.\d+\.attn\.(bias|masked_bias)$/;
/** Names inside the stack: one that is not expected means that the checkpoint computes something else. */
const insideStack = /^(h\.|wte|wpe|ln_f)/;

/** Compares a checkpoint with its config before anything is read. */
export async function checkTensors({ path, tensors }: Checkpoint, config: GPT2Config) {
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
