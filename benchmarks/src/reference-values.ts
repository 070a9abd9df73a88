/** The float64 reference values kept in `reference/*.safetensors`; its README says what each tensor is. */
import { join } from "node:path";
import { open } from "safetensors-ts";
import { REFERENCE } from "./paths.ts";

export interface ReferencePrompt {
  /** `T64` or `A`: the name in the file. */
  readonly name: string;
  readonly ids: Int32Array;
  /** The positions whose logits are kept. */
  readonly positions: Int32Array;
  /** [positions, vocab] */
  readonly logits: Float32Array;
  /** [T - 1]: of token t + 1 after tokens 0..t */
  readonly logprobs: Float32Array;
  /** [n_layer, T, n_embd]: the residual stream after each block; not kept for every prompt */
  readonly hidden: Float32Array | undefined;
}

/** The prompts of a model's reference file, shortest first. */
export async function readReference(model: string): Promise<ReferencePrompt[]> {
  await using file = await open(join(REFERENCE, `${model}.safetensors`));
  const int32 = async (name: string): Promise<Int32Array> => {
    const { dtype, data } = await file.read(name);
    if (dtype !== "I32") throw new TypeError(`${model}.safetensors: ${name} is ${dtype} where I32 was expected`);
    return data;
  };
  const names = new Set(file.names.map((tensor) => tensor.split(".")[0] ?? tensor));
  const prompts: ReferencePrompt[] = [];
  for (const name of names) {
    const ids = await int32(`${name}.ids`);
    prompts.push({
      name,
      ids,
      positions: file.has(`${name}.positions`) ? await int32(`${name}.positions`) : Int32Array.from(ids.keys()),
      logits: await file.readFloat32(`${name}.logits`),
      logprobs: await file.readFloat32(`${name}.logprobs`),
      hidden: file.has(`${name}.hidden`) ? await file.readFloat32(`${name}.hidden`) : undefined,
    });
  }
  return prompts.sort((a, b) => a.ids.length - b.ids.length);
}

/** Differences of two sequences of numbers. */
export interface ErrorSummary {
  readonly max: number;
  readonly rms: number;
}

/** Collects |actual − expected|. A NaN on either side makes both figures NaN, which exceeds every bound. */
export class ErrorMeter {
  #max = 0;
  #squares = 0;
  #count = 0;

  /** @throws RangeError when the lengths differ. */
  add(actual: ArrayLike<number>, expected: ArrayLike<number>): this {
    if (actual.length !== expected.length) {
      throw new RangeError(`${actual.length} values where the reference has ${expected.length}`);
    }
    for (let i = 0; i < actual.length; i++) {
      const difference = Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN));
      if (!(difference <= this.#max)) this.#max = difference;
      this.#squares += difference * difference;
    }
    this.#count += actual.length;
    return this;
  }

  summary(): ErrorSummary {
    return {
      max: Number.isNaN(this.#squares) ? Number.NaN : this.#max,
      rms: Math.sqrt(this.#squares / Math.max(1, this.#count)),
    };
  }
}
