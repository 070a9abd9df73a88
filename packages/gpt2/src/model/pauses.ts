import { yieldToEventLoop } from "@gpt2-ts/tensor/event-loop";

/** Milliseconds of work after which others get a turn: long enough to cost nothing, too short to be noticed. */
const SLICE = 20;

let latestTurn: Promise<void> = Promise.resolve();

/** Lets the event loop go round once, and once for each of those that wait already: two computations never follow one another. */
export function nextTurn(): Promise<void> {
  latestTurn = latestTurn.then(yieldToEventLoop);
  return latestTurn;
}

/**
 * A function to await between the steps of a computation, which lets others have the thread if that was {@link SLICE} ms ago. It
 * throws the signal's reason once that is aborted.
 */
export function pauses(signal: AbortSignal | undefined): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < SLICE) return;
    await nextTurn();
    signal?.throwIfAborted();
    began = performance.now();
  };
}

/**
 * Runs steps to their end, with pauses.
 *
 * @throws what they throw; `signal.reason` when aborted, and what they hold is freed
 */
export async function withPauses<Result>(
  steps: Generator<void, Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const pause = pauses(signal);
  try {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value;
      await pause();
    }
  } catch (error) {
    steps.return(undefined as never);
    throw error;
  }
}
