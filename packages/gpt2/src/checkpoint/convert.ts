import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile as writeText } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type Encoding, encodings, type IntegerScheme } from "@gpt2-ts/tensor";
import { checkChoice, OptionError } from "@gpt2-ts/tensor/options";
import { type LazyTensorData, type TensorInput, writeFile } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";
import { type Weight, weightsFor } from "../model/weights.ts";
import { type WarningListener, warnOnConsole } from "../warning.ts";
import { loadConfig } from "./load.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import {
  CONVERTED_DTYPES,
  type ConvertedDtype,
  groupAxis,
  metadataFor,
  scalesName,
  scalesShape,
} from "./quantization.ts";
import type { ModelSource } from "./source/index.ts";
import { StoredWeights } from "./stored-weights.ts";
import { elementsOf } from "./tensors.ts";

/** How far a conversion has come. */
export interface ConvertProgress {
  /** Bytes of the new checkpoint that are written, and all of them. */
  readonly done: number;
  readonly total: number;
}

export interface ConvertOptions {
  /** What the matrices are kept in. */
  readonly dtype: ConvertedDtype;
  /** Whether files of `out` may be replaced. Default false. */
  readonly overwrite?: boolean | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  /** Told of what its user should know about the model's files, a sentence each. Default: `console.warn`. */
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

const CHECKPOINT = "model.safetensors";
/** Files beside the checkpoint: the first three make a model. */
const REQUIRED_TEXTS = ["config.json", "vocab.json", "merges.txt"];
const OTHER_TEXTS = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"];
/** Elements that exist as float32 at once. */
const PIECE = 2 ** 20;

/**
 * Writes a model whose matrices are kept in fewer bits to the folder `out`: one `model.safetensors`, whose metadata say how
 * (docs/quantization.md), and the model's other files. They are written to a temporary folder and moved when all are complete.
 * Node only.
 *
 * @throws OptionError for an unknown dtype or the one that the model has already; if `out` has such files and `overwrite` is not
 *   set; and if the folder around `out` cannot be written to. ModelFormatError, SafetensorsError; `signal.reason`. `out` is then
 *   unchanged
 */
export async function convertModel(source: ModelSource, out: string, options: ConvertOptions): Promise<void> {
  const { dtype, overwrite = false, onProgress, onWarning = warnOnConsole, signal } = options;
  checkChoice("dtype", dtype, CONVERTED_DTYPES);
  const texts = await readTexts(source);
  const names = [...texts.keys(), CHECKPOINT];
  const exists = await checkOut(out, overwrite ? [] : names);
  const said = await loadConfig(source);
  const checkpoint = await openCheckpoint(source, { signal });
  await using _ = checkpoint.tensors;
  const weights = await StoredWeights.of(checkpoint, said, onWarning);
  if (weights.converted === dtype) throw new OptionError("dtype", `${source.name} is ${dtype} already`);

  const folder = resolve(out);
  // Inside `out` if it exists: it may be on another disk than the folder around it, and files can be moved only within a disk.
  const place = exists ? folder : dirname(folder);
  const staging = join(place, `.${basename(folder)}.${randomUUID()}.tmp`);
  await mkdir(staging).catch((cause: NodeJS.ErrnoException) => {
    throw new OptionError("out", `no folder can be made in ${place} (${cause.code})`);
  });
  try {
    for (const [name, text] of texts) await writeText(join(staging, name), text);
    const tensors = convertedTensors(weights, dtype, { onProgress, signal });
    await writeFile(join(staging, CHECKPOINT), tensors, metadataFor(dtype), { signal });
    // A new folder appears at once; in one that exists each file is replaced at once, the checkpoint last.
    if (!exists) await rename(staging, folder);
    else for (const name of names) await rename(join(staging, name), join(folder, name));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function readTexts(source: ModelSource): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of [...REQUIRED_TEXTS, ...OTHER_TEXTS]) {
    const text = await source.text(name);
    if (text !== undefined) texts.set(name, text);
    else if (REQUIRED_TEXTS.includes(name)) throw new ModelFormatError(source.path(name), "there is no such file");
  }
  return texts;
}

/** Whether the folder exists. Throws OptionError if it is a file, or has a file with a name in `unwanted`. */
async function checkOut(folder: string, unwanted: readonly string[]): Promise<boolean> {
  if (folder === "") throw new OptionError("out", "expected the path of a folder");
  const stats = await stat(folder).catch(() => undefined);
  if (stats === undefined) return false;
  if (!stats.isDirectory()) throw new OptionError("out", `${folder} is not a folder`);
  const there = (await readdir(folder)).find((name) => unwanted.includes(name));
  if (there !== undefined) throw new OptionError("out", `${join(folder, there)} exists; overwrite would replace it`);
  return true;
}

/** The tensors of the new checkpoint, each computed when it is written. */
function convertedTensors(
  weights: StoredWeights,
  dtype: ConvertedDtype,
  { onProgress, signal }: Pick<ConvertOptions, "onProgress" | "signal">,
): Map<string, TensorInput<LazyTensorData>> {
  const { file, integers: scheme }: Encoding = encodings[dtype];
  const { dtype: fileDtype, encode } = file!;
  let [done, total] = [0, 0];
  const tensors = new Map<string, TensorInput<LazyTensorData>>();
  const add = (
    name: string,
    { dtype, shape, data }: TensorInput<() => Promise<NodeJS.TypedArray>>,
    bytes: number,
  ): void => {
    total += elementsOf(shape) * bytes;
    const make = async (): Promise<NodeJS.TypedArray> => {
      const array = await data();
      done += array.byteLength;
      onProgress?.({ done, total });
      return array;
    };
    tensors.set(name, { dtype, shape, data: make });
  };
  for (const weight of weightsFor(weights.config)) {
    const { name, kind, shape } = weight;
    if (kind === "vector") {
      const data = async () => {
        const values = new Float32Array(elementsOf(shape));
        await weights.readFloats(weight, values);
        return values;
      };
      add(name, { dtype: "F32", shape, data }, 4);
      continue;
    }
    const matrix = { weights, weight, signal };
    if (encode) add(name, { dtype: fileDtype, shape, data: () => encodeMatrix(matrix, encode) }, 2);
    if (scheme) {
      // Quantized twice: scales and integers lie in different places of the file, and neither of all matrices should be in memory.
      const scales = async () => (await quantizeMatrix(matrix, scheme)).scales;
      const integers = async () => (await quantizeMatrix(matrix, scheme)).integers;
      add(scalesName(name), { dtype: "F32", shape: scalesShape(weight, scheme), data: scales }, 4);
      add(name, { dtype: fileDtype, shape, data: integers }, 1);
    }
  }
  return tensors;
}

/** A matrix of a checkpoint. */
interface StoredMatrix {
  readonly weights: StoredWeights;
  readonly weight: Weight;
  readonly signal: AbortSignal | undefined;
}

/** A matrix's rows as float32, a whole number of groups at a time, except for the last piece. */
async function* piecesOf({ weights, weight, signal }: StoredMatrix, group: number) {
  const [rows, columns] = weight.shape as readonly [number, number];
  const atOnce = Math.max(1, Math.floor(PIECE / columns / group)) * group;
  for (let first = 0; first < rows; first += atOnce) {
    signal?.throwIfAborted();
    const floats = new Float32Array(Math.min(atOnce, rows - first) * columns);
    await weights.readFloats(weight, floats, first);
    yield { first, floats };
  }
}

/** Elements of 16 bits, as the file has them. */
async function encodeMatrix(
  matrix: StoredMatrix,
  encode: (elements: Float32Array) => Uint16Array,
): Promise<Uint16Array> {
  const encoded = new Uint16Array(elementsOf(matrix.weight.shape));
  for await (const { first, floats } of piecesOf(matrix, matrix.weights.integers?.group ?? 1)) {
    encoded.set(encode(floats), first * matrix.weight.shape[1]!);
  }
  return encoded;
}

/** Integers and scales, as matrices of the tensor package keep them. */
async function quantizeMatrix(
  matrix: StoredMatrix,
  scheme: IntegerScheme,
): Promise<{ integers: Int8Array; scales: Float32Array }> {
  const { group: most, quantize } = scheme;
  const { weights, weight } = matrix;
  const [, columns] = weight.shape as readonly [number, number];
  const integers = new Int8Array(elementsOf(weight.shape));
  const scales = new Float32Array(elementsOf(scalesShape(weight, scheme)));
  const alongRows = groupAxis(weight) === 1;
  const group = new Float32Array(most);
  const quantized = new Int8Array(most);
  let scale = 0;
  /** Takes `count` elements, `step` apart, as a group. */
  const take = (floats: Float32Array, from: number, count: number, step: number, to: number): void => {
    for (let i = 0; i < count; i++) group[i] = floats[from + i * step]!;
    const found = quantize(group.subarray(0, count), quantized);
    if (Number.isNaN(found))
      throw new ModelFormatError(weights.path, `tensor ${weight.name} has weights that are not finite`, weight.name);
    for (let i = 0; i < count; i++) integers[to + i * step] = quantized[i]!;
    scales[scale++] = found;
  };
  for await (const { first, floats } of piecesOf(matrix, most)) {
    const start = first * columns;
    const rows = floats.length / columns;
    if (alongRows) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column += most) {
          const from = row * columns + column;
          take(floats, from, Math.min(most, columns - column), 1, start + from);
        }
      }
    } else {
      for (let row = 0; row < rows; row += most) {
        for (let column = 0; column < columns; column++) {
          const from = row * columns + column;
          take(floats, from, Math.min(most, rows - row), columns, start + from);
        }
      }
    }
  }
  return { integers, scales };
}
