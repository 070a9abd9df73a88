import { INT8_GROUP } from "@gpt2-ts/tensor";
import { checkTensors, elementsOf, type FoundTensor } from "./checkpoint-tensors.ts";
import type { GPT2Config } from "./config.ts";
import { ModelFormatError } from "./errors.ts";
import type { Checkpoint } from "./model-source.ts";
import { type ConvertedDtype, convertedTo, groupAxis, scalesName, scalesShape } from "./quantization.ts";

/** The weights in a checkpoint that fits its config, by their names without prefix. Matrices are read by rows. */
export class StoredWeights {
  /** What the checkpoint was converted to; undefined for one from elsewhere. */
  readonly converted: ConvertedDtype | undefined;
  readonly #checkpoint: Checkpoint;
  readonly #tensors: ReadonlyMap<string, FoundTensor>;

  private constructor(checkpoint: Checkpoint, converted: ConvertedDtype | undefined, found: readonly FoundTensor[]) {
    this.#checkpoint = checkpoint;
    this.converted = converted;
    this.#tensors = new Map(found.map((tensor) => [tensor.name, tensor]));
  }

  /** Throws {@link ModelFormatError} for a tensor that is missing, unknown, or not of its shape or dtype. */
  static async of(checkpoint: Checkpoint, config: GPT2Config): Promise<StoredWeights> {
    const converted = convertedTo(checkpoint.tensors.metadata, checkpoint.path);
    return new StoredWeights(checkpoint, converted, await checkTensors(checkpoint, config, converted));
  }

  /** Fills `target` with float32 from row `first` of a matrix on (a multiple of the group's size), or with a vector. */
  async readFloats(name: string, target: Float32Array, first = 0): Promise<void> {
    const [, columns = 1] = this.#tensor(name).shape;
    if (this.converted !== "int8" || this.#tensor(name).shape.length < 2) {
      await this.#checkpoint.tensors.readFloat32Into(this.#tensor(name).storedAs, target, first * columns);
      return;
    }
    const integers = new Int8Array(target.length);
    await this.readIntegers(name, integers, first);
    const byColumns = groupAxis(name) === 1;
    const [, width] = this.#scalesShape(name);
    const rows = target.length / columns;
    const scales = new Float32Array((byColumns ? rows : Math.ceil(rows / INT8_GROUP)) * width);
    await this.readScales(name, scales, byColumns ? first : first / INT8_GROUP);
    for (let row = 0, i = 0; row < rows; row++) {
      const scaleRow = (byColumns ? row : Math.floor(row / INT8_GROUP)) * width;
      for (let column = 0; column < columns; column++, i++) {
        target[i] = integers[i]! * scales[scaleRow + (byColumns ? Math.floor(column / INT8_GROUP) : column)]!;
      }
    }
  }

  /** Fills `target` with the integers of an int8 matrix from row `first` on. */
  async readIntegers(name: string, target: Int8Array | Uint8Array, first: number): Promise<void> {
    const { storedAs, shape } = this.#tensor(name);
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.length);
    await this.#checkpoint.tensors.readInto(storedAs, bytes, first * shape[1]!);
  }

  /**
   * Fills `target` with the scales of an int8 matrix from row `first` of the scales on. Throws {@link ModelFormatError} for
   * one that is not a finite number from 0.
   */
  async readScales(name: string, target: Float32Array, first: number): Promise<void> {
    const { storedAs } = this.#tensor(scalesName(name));
    const start = first * this.#scalesShape(name)[1];
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

  /** Elements of all weights, scales not counted. */
  get parameters(): number {
    let total = 0;
    for (const { name, shape } of this.#tensors.values()) if (!name.endsWith(".scales")) total += elementsOf(shape);
    return total;
  }

  #tensor(name: string): FoundTensor {
    return this.#tensors.get(name)!;
  }

  #scalesShape(name: string): readonly [number, number] {
    return scalesShape(name, this.#tensor(name).shape as readonly [number, number]);
  }
}
