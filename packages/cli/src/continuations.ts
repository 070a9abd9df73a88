import type { GenerateOptions, Generation, GPT2 } from "@gpt2-ts/gpt2";

/** What comes of one of several continuations of a prompt: a piece of its text, or at its end the whole of it. */
export type ContinuationStep =
  | { readonly index: number; readonly piece: string }
  | { readonly index: number; readonly generation: Generation; readonly timing: Timing };

/** How long a continuation took, in milliseconds. */
export interface Timing {
  /** From its start to the first piece of text. */
  readonly first: number;
  /** From then to its end. */
  readonly rest: number;
}

/** Continues a prompt `count` times, one continuation after another, each drawn with the next seed. */
export async function* continuations(
  model: GPT2,
  promptIds: readonly number[],
  count: number,
  options: GenerateOptions & { readonly seed: number },
): AsyncGenerator<ContinuationStep, void> {
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    let first: number | undefined;
    const pieces = model.stream(promptIds, { ...options, seed: options.seed + index });
    try {
      let step = await pieces.next();
      for (; !step.done; step = await pieces.next()) {
        first ??= performance.now();
        yield { index, piece: step.value };
      }
      const ended = performance.now();
      first ??= ended;
      yield { index, generation: step.value, timing: { first: first - began, rest: ended - first } };
    } finally {
      await pieces.return(undefined as never); // frees the cache if the reader left early
    }
  }
}

/** A seed for whoever gives none. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
