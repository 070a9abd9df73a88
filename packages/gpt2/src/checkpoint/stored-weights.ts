import { type Encoding, encodings, type IntegerScheme } from "@gpt2-ts/tensor";
import { showName } from "@gpt2-ts/tensor/options";
import type { RawTensor, TensorInfo } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";
import type { GPT2Config } from "../model/config.ts";
import { type Weight, weightsFor } from "../model/weights.ts";
import type { WarningListener } from "../warning.ts";
import type { Checkpoint } from "./open-checkpoint.ts";
import { type ConvertedDtype, convertedTo, groupAxis, scalesName, scalesShape } from "./quantization.ts";
import { OUTPUT_TABLE, TOKEN_TABLE } from "./tensor-names.ts";
import { checkTensors } from "./tensors.ts";

/** Elements of a table that are compared at once. */
const PIECE = 2 ** 18;

/** The weights of a checkpoint that fits its config, by their names without prefix. Matrices are read by rows. */
export class StoredWeights {
  /** The config; its `tieWordEmbeddings` is false where the checkpoint has an output layer that differs, whatever the file says. */
  readonly config: GPT2Config;
  /** What the checkpoint was converted to; undefined for one from elsewhere. */
  readonly converted: ConvertedDtype | undefined;
  /** The scheme of its integers, where it holds such. */
  readonly integers: IntegerScheme | undefined;
  readonly #checkpoint: Checkpoint;
  /** What a tensor is called in the checkpoint, by its name without prefix. */
  readonly #storedNames: ReadonlyMap<string, string>;

  private constructor(
    checkpoint: Checkpoint,
    config: GPT2Config,
    converted: ConvertedDtype | undefined,
    storedNames: ReadonlyMap<string, string>,
  ) {
    this.#checkpoint = checkpoint;
    this.config = config;
    this.converted = converted;
    const encoding: Encoding | undefined = converted && encodings[converted];
    this.integers = encoding?.integers;
    this.#storedNames = storedNames;
  }

  /** Throws {@link ModelFormatError} for a tensor that is missing, unknown, or has the wrong shape or dtype. */
  static async of(checkpoint: Checkpoint, config: GPT2Config, onWarning: WarningListener): Promise<StoredWeights> {
    const { path, tensors } = checkpoint;
    const converted = convertedTo(tensors.metadata, path);
    const { names, unused } = await checkTensors(checkpoint, config, converted);
    if (unused.length > 0) {
      const some = unused.slice(0, 4).map(showName).join(", ");
      onWarning(`${path}: there is ${some}${unused.length > 4 ? ", …" : ""} beside the language model; it is not used`);
    }
    if (!config.tieWordEmbeddings || !names.has(OUTPUT_TABLE)) {
      return new StoredWeights(checkpoint, config, converted, names);
    }
    const untied = new StoredWeights(checkpoint, { ...config, tieWordEmbeddings: false }, converted, names);
    if (await untied.#tablesAgree()) return new StoredWeights(checkpoint, config, converted, names);
    onWarning(
      `${path}: ${OUTPUT_TABLE} differs from ${TOKEN_TABLE}, though the config ties them; both are used, as in transformers` +
        ` ("tie_word_embeddings": false in config.json says so)`,
    );
    return untied;
  }

  /** Whether the table that makes the logits has the values of the token embeddings. Reads both, piece by piece. */
  async #tablesAgree(): Promise<boolean> {
    const [table, output] = [TOKEN_TABLE, OUTPUT_TABLE].map(
      (table) => weightsFor({ ...this.config, nLayer: 0 }).find(({ name }) => name === table)!,
    ) as [Weight, Weight];
    const [rows, columns] = table.shape as readonly [number, number];
    const atOnce = Math.max(1, Math.floor(PIECE / columns));
    for (let first = 0; first < rows; first += atOnce) {
      const size = Math.min(atOnce, rows - first) * columns;
      const [some, others] = [new Float32Array(size), new Float32Array(size)];
      await this.readFloats(table, some, first);
      await this.readFloats(output, others, first);
      if (some.some((value, i) => value !== others[i])) return false;
    }
    return true;
  }

  /** The weights in the order of their bytes in the checkpoint, which is asked to read ahead: from a URL that saves waiting. */
  async inFileOrder(weights: readonly Weight[]): Promise<Weight[]> {
    const places = new Map([...this.#storedNames.keys()].map((name, place) => [name, place]));
    const ordered = [...weights].sort((a, b) => places.get(a.name)! - places.get(b.name)!);
    const reads = ordered.flatMap(({ name }) => {
      const scales = this.#storedNames.get(scalesName(name));
      return scales === undefined ? [this.#storedAs(name)] : [this.#storedAs(name), scales];
    });
    await this.#checkpoint.tensors.prefetch?.(reads);
    return ordered;
  }

  /** Fills `target` with float32: a matrix from row `first` on (a multiple of the group size), or a vector. */
  async readFloats(weight: Weight, target: Float32Array, first = 0): Promise<void> {
    const [, columns = 1] = weight.shape;
    const scheme = this.integers;
    if (!scheme || weight.kind === "vector") {
      await this.#checkpoint.tensors.readFloat32Into(this.#storedAs(weight.name), target, first * columns);
      return;
    }
    const integers = new Int8Array(target.length);
    await this.readIntegers(weight, integers, first);
    const byColumns = groupAxis(weight) === 1;
    const { group } = scheme;
    const [, width] = scalesShape(weight, scheme);
    const rows = target.length / columns;
    const scales = new Float32Array((byColumns ? rows : Math.ceil(rows / group)) * width);
    await this.readScales(weight, scales, byColumns ? first : first / group);
    for (let row = 0, i = 0; row < rows; row++) {
      const scaleRow = (byColumns ? row : Math.floor(row / group)) * width;
      for (let column = 0; column < columns; column++, i++) {
        target[i] = integers[i]! * scales[scaleRow + (byColumns ? Math.floor(column / group) : column)]!;
      }
    }
  }

  /** How a weight lies in the checkpoint. */
  async stored(name: string): Promise<TensorInfo> {
    return this.#checkpoint.tensors.info(this.#storedAs(name));
  }

  /** A weight as it lies in the checkpoint. */
  async read(name: string): Promise<RawTensor["data"]> {
    return (await this.#checkpoint.tensors.read(this.#storedAs(name))).data;
  }

  /** Fills `target` with the integers of a matrix from row `first` on. */
  async readIntegers({ name, shape }: Weight, target: Int8Array | Uint8Array, first: number): Promise<void> {
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.length);
    await this.#checkpoint.tensors.readInto(this.#storedAs(name), bytes, first * shape[1]!);
  }

  /**
   * Fills `target` with the scales of a matrix of integers from row `first` of the scales on. Throws {@link ModelFormatError} for
   * a scale that is negative or not finite.
   */
  async readScales(weight: Weight, target: Float32Array, first: number): Promise<void> {
    const storedAs = this.#storedAs(scalesName(weight.name));
    const start = first * scalesShape(weight, this.integers!)[1];
    await this.#checkpoint.tensors.readFloat32Into(storedAs, target, start);
    const wrong = indexOfWrongScale(target);
    if (wrong < 0) return;
    const message = `tensor ${storedAs} has ${target[wrong]} as number ${start + wrong}; scales are finite and at least 0`;
    throw new ModelFormatError(this.#checkpoint.path, message, storedAs);
  }

  /** What messages call the checkpoint. */
  get path(): string {
    return this.#checkpoint.path;
  }

  #storedAs(name: string): string {
    return this.#storedNames.get(name)!;
  }
}

/** A loop, because `findIndex` makes an object of every number: 30 MB of them for the two million scales of GPT-2 small. */
function indexOfWrongScale(scales: Float32Array): number {
  for (let i = 0; i < scales.length; i++) if (!(scales[i]! >= 0 && scales[i]! < Infinity)) return i;
  return -1;
}

/**
 * The config of a model, held against its checkpoint: a `lm_head.weight` that differs from the token embeddings is used, whatever
 * the config says. Reads no weights but those two.
 *
 * @throws ModelFormatError for a checkpoint that does not fit
 */
export async function fitConfig(
  checkpoint: Checkpoint,
  config: GPT2Config,
  onWarning: WarningListener,
): Promise<GPT2Config> {
  return (await StoredWeights.of(checkpoint, config, onWarning)).config;
}
