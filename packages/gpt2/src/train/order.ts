import { Generator } from "@gpt2-ts/tensor";
import { SHUFFLE } from "./streams.ts";

/** A pass over the tokens. */
interface Pass {
  readonly number: number;
  /** Where its first window begins. */
  readonly shift: number;
  readonly order: Uint32Array;
}

/**
 * Where the sequences of a training begin in its tokens. Each pass over the tokens cuts them into windows from another place on, and
 * takes the windows in a random order. Sequence number i is a function of the seed and i alone: a training that was interrupted goes
 * on with the very sequences that would have come, and no step sees another's by accident.
 */
export class DataOrder {
  readonly #tokens: number;
  readonly #context: number;
  readonly #seed: number;
  /** Windows of a pass. */
  readonly windows: number;
  #pass: Pass | undefined;

  /**
   * @param tokens how many there are, at least `context` + 1
   * @param context the tokens that a sequence predicts from
   */
  constructor(tokens: number, context: number, seed: number) {
    this.#tokens = tokens;
    this.#context = context;
    this.#seed = seed;
    // One fewer than there is room for, so that the windows can be shifted.
    this.windows = Math.max(1, Math.floor(tokens / context) - 1);
  }

  /** The first token of sequence `index`, from 0, of the whole training; `context` others and a target follow. */
  start(index: number): number {
    const number = Math.floor(index / this.windows);
    if (this.#pass?.number !== number) this.#pass = this.#shuffled(number);
    const { shift, order } = this.#pass;
    return shift + order[index % this.windows]! * this.#context;
  }

  #shuffled(number: number): Pass {
    const random = new Generator(this.#seed, [SHUFFLE, number]);
    const last = this.#tokens - 1 - this.windows * this.#context;
    const shift = random.integer(0, Math.min(last, this.#context - 1) + 1);
    const order = new Uint32Array(this.windows);
    for (let i = 0; i < order.length; i++) {
      const j = random.integer(0, i + 1); // Fisher and Yates
      order[i] = order[j]!;
      order[j] = i;
    }
    return { number, shift, order };
  }
}
