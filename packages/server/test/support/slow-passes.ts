import { startObserving } from "@gpt2-ts/tensor";
import { afterAll, beforeAll } from "vitest";

/** Milliseconds of each of the two embeddings that a pass begins with. */
const SLOW = 4;

/**
 * Has servers that run in this thread take some time for each token, on a fast machine too: what is to happen while a text is generated
 * happens before its end.
 */
export function useSlowPasses(): void {
  let stop = (): void => {};
  beforeAll(() => {
    stop = startObserving({
      before({ op }) {
        if (op.name === "embedding") for (const end = performance.now() + SLOW; performance.now() < end; );
      },
    });
  });
  afterAll(() => stop());
}
