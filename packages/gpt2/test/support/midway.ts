import { startObserving } from "@gpt2-ts/tensor";
import { onTestFinished } from "vitest";

/** Longer than computations go on before they let others have the thread. */
const LONGER_THAN_A_SLICE = 25;

/**
 * Does something once, in the middle of what is computed next: behind the first operation for which `ready` is true. The machine's
 * speed does not matter, as it does with timers; and the computation has its next pause before its next step.
 */
export function midway(action: () => void, ready: () => boolean = afterOperations(20)): void {
  const stop = startObserving({
    after: () => {
      if (!ready()) return;
      stop();
      for (const end = performance.now() + LONGER_THAN_A_SLICE; performance.now() < end; );
      action();
    },
  });
  onTestFinished(stop);
}

/** True behind so many operations. */
function afterOperations(count: number): () => boolean {
  let ran = 0;
  return () => ++ran >= count;
}
