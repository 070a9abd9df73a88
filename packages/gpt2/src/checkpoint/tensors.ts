import { type Encoding, encodings, type MatrixEncoding } from "@gpt2-ts/tensor";
import type { Dtype } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";
import type { GPT2Config } from "../model/config.ts";
import { type Weight, weightsFor } from "../model/weights.ts";
import type { Checkpoint } from "./open-checkpoint.ts";
import { type ConvertedDtype, groupAxis, scalesName, scalesShape } from "./quantization.ts";

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

const prefix = "transformer.";
/** Causal masks, which old checkpoints contain as buffers. */
const maskBuffer = /^h\.\d+\.attn\.(bias|masked_bias)$/;
/** Names inside the stack: an unexpected one means that the checkpoint is for another computation. */
const insideStack = /^(h\.|wte|wpe|ln_f)/;

/** A tensor that a checkpoint should have. */
export interface FoundTensor {
  /** Its name without prefix, and its name in the checkpoint. */
  readonly name: string;
  readonly storedAs: string;
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
          `unexpected tensor ${storedAs}: a GPT-2 of this config has no such tensor`,
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
        `tensor ${storedAs} is ${info.dtype}; expected ${dtype} in a checkpoint converted to ${converted}`,
        storedAs,
      );
    }
    expected.delete(name);
    found.push({ name, storedAs });
  }
  for (const name of expected.keys()) {
    throw new ModelFormatError(path, `tensor ${name} is missing`, name);
  }
  return found;
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
