import type { GenerateOptions, Generation, GenerationEvent, GPT2 } from "@gpt2-ts/gpt2";

/**
 * Continues a prompt `count` times, all continuations together, each drawn with the next seed. Those that an abort ends have the
 * `finishReason` "aborted".
 */
export function continuations(
  model: GPT2,
  prompt: readonly number[],
  count: number,
  { signal, ...options }: GenerateOptions & { readonly seed: number },
): AsyncGenerator<GenerationEvent, Generation[]> {
  return model.eventsAll([{ prompt, signal }], { ...options, samples: count });
}

/** A seed for whoever gives none. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
