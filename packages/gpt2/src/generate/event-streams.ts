import type { GenerationEvent } from "./text.ts";

/** The pieces of text among events. */
export async function* textPieces<Result>(
  events: AsyncGenerator<GenerationEvent, Result>,
): AsyncGenerator<string, Result> {
  try {
    for (let step = await events.next(); ; step = await events.next()) {
      if (step.done) return step.value;
      if (step.value.text !== "") yield step.value.text;
    }
  } finally {
    await events.return(undefined as never);
  }
}

/** What a generator returns when all that it yields is passed over. */
export async function resultOf<Result>(generator: AsyncGenerator<unknown, Result>): Promise<Result> {
  for (let step = await generator.next(); ; step = await generator.next()) if (step.done) return step.value;
}

/** What is yielded in arrays, one by one. Nothing comes any more once the signal is aborted. */
export async function* oneByOne<Item, Result>(
  arrays: AsyncGenerator<readonly Item[], Result>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, Result> {
  try {
    for (let step = await arrays.next(); ; step = await arrays.next()) {
      if (step.done) return step.value;
      for (const item of step.value) {
        signal?.throwIfAborted();
        yield item;
      }
    }
  } finally {
    await arrays.return(undefined as never);
  }
}
