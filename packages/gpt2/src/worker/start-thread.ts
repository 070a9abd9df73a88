import type { WorkerLike } from "./thread-port.ts";
import { WorkerError } from "./worker-error.ts";

/** Starts a worker that runs gpt2-thread.ts. Throws {@link WorkerError} where there are none, or no more. */
export function startThread(): WorkerLike {
  try {
    // Bundlers find the worker's file by exactly this expression.
    if (typeof Worker === "function")
      return new Worker(new URL("./gpt2-thread.js", import.meta.url), { type: "module" });
    const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
    if (threads) {
      // They are not to find it here, where there is none.
      const file = new URL(`${import.meta.url}/../gpt2-thread.js`);
      return new threads.Worker(file, { execArgv: [], name: "gpt2-ts model" }) as unknown as WorkerLike;
    }
  } catch (cause) {
    throw new WorkerError(`the worker could not be started: ${(cause as Error).message}`, { cause });
  }
  throw new WorkerError("there are no workers here");
}
