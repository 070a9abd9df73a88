import { type Encoding, encodings, type IntegerScheme } from "@gpt2-ts/tensor";
import type { RawTensor, TensorInfo } from "safetensors-ts";
import { ModelFormatError } from "../errors.ts";
import type { GPT2Config } from "../model/config.ts";
import type { Weight } from "../model/weights.ts";
import type { Checkpoint } from "./open-checkpoint.ts";
import { type ConvertedDtype, convertedTo, groupAxis, scalesName, scalesShape } from "./quantization.ts";
import { checkTensors, type FoundTensor } from "./tensors.ts";

/** The weights of a checkpoint that fits its config, by their names without prefix. Matrices are read by rows. */
export class StoredWeights {
  /** What the checkpoint was converted to; undefined for one from elsewhere. */
  readonly converted: ConvertedDtype | undefined;
  /** The scheme of its integers, where it holds such. */
  readonly integers: IntegerScheme | undefined;
  readonly #checkpoint: Checkpoint;
  /** What a tensor is called in the checkpoint, by its name without prefix. */
  readonly #storedNames: ReadonlyMap<string, string>;

  private constructor(checkpoint: Checkpoint, converted: ConvertedDtype | undefined, found: readonly FoundTensor[]) {
    this.#checkpoint = checkpoint;
    this.converted = converted;
    const encoding: Encoding | undefined = converted && encodings[converted];
    this.integers = encoding?.integers;
    this.#storedNames = new Map(found.map(({ name, storedAs }) => [name, storedAs]));
  }

  /** Throws {@link ModelFormatError} for a tensor that is missing, unknown, or has the wrong shape or dtype. */
  static async of(checkpoint: Checkpoint, config: GPT2Config): Promise<StoredWeights> {
    const converted = convertedTo(checkpoint.tensors.metadata, checkpoint.path);
    return new StoredWeights(checkpoint, converted, await checkTensors(checkpoint, config, converted));
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
    const wrong = target.findIndex((scale) => !(scale >= 0 && scale < Infinity));
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
