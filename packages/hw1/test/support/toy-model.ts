import { Generator } from "@gpt2-ts/tensor";
import type { Sampled } from "../../src/sample.ts";

/** An autoregressive model over few tokens whose every distribution is a row of random numbers. */
export class ToyModel {
  readonly vocabSize: number;
  readonly #seed: number;
  readonly #rows = new Map<string, Float64Array>();
  readonly #logRows = new Map<string, Float32Array>();

  constructor(vocabSize: number, seed: number) {
    this.vocabSize = vocabSize;
    this.#seed = seed;
  }

  /** The probabilities of what may follow these tokens. */
  probabilities(ids: readonly number[]): Float64Array {
    const key = ids.join();
    let row = this.#rows.get(key);
    if (row === undefined) {
      let seed = this.#seed;
      for (const id of ids) seed = (seed * 31 + id + 1) % 2 ** 40;
      const generator = new Generator(seed);
      row = Float64Array.from({ length: this.vocabSize }, () => Math.exp(1.5 * generator.normal()));
      const total = row.reduce((sum, weight) => sum + weight, 0);
      for (let id = 0; id < row.length; id++) row[id]! /= total;
      this.#rows.set(key, row);
    }
    return row;
  }

  logprobs(ids: readonly number[]): Float32Array {
    const key = ids.join();
    let row = this.#logRows.get(key);
    if (row === undefined) {
      row = Float32Array.from(this.probabilities(ids), Math.log);
      this.#logRows.set(key, row);
    }
    return row;
  }

  /** The probability of every sequence of `length` tokens after `prefix`, by its tokens. */
  joint(prefix: readonly number[], length: number): Map<string, number> {
    let sequences: [ids: readonly number[], probability: number][] = [[[], 1]];
    for (let i = 0; i < length; i++) {
      sequences = sequences.flatMap(([ids, probability]) =>
        Array.from(this.probabilities([...prefix, ...ids]), (p, id): [number[], number] => [
          [...ids, id],
          probability * p,
        ]),
      );
    }
    return new Map(sequences.map(([ids, probability]) => [ids.join(), probability]));
  }

  /** A text in progress. */
  context(): Sampled & { readonly branched: number[] } {
    const ids: number[] = [];
    const branched: number[] = [];
    return {
      capacity: 1000,
      branched,
      get length() {
        return ids.length;
      },
      append: async (more) => {
        ids.push(...more);
        return this.logprobs(ids).map((logprob) => logprob + 3); // logits, which no one has normalized
      },
      branch: async (continuations) => {
        branched.push(continuations.length);
        return continuations.map((more) => this.logprobs([...ids, ...more]));
      },
    };
  }
}
