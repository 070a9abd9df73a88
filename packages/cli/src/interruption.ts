import { constants } from "node:os";

/** The user, or the system, asked the command to stop. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  /** What shells report for a command ended by a signal: 128 + its number. */
  readonly exitStatus: number;
  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`interrupted by ${signal}`);
    this.exitStatus = 128 + constants.signals[signal];
  }
}

/**
 * Runs `work` with a signal that aborts, with an {@link Interruption} as its reason, on Ctrl-C or when the process is asked to
 * end. The second time the process ends at once.
 */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (signal: "SIGINT" | "SIGTERM"): void => controller.abort(new Interruption(signal));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}
