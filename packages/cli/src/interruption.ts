import { constants } from "node:os";

/** Windows sends SIGBREAK for Ctrl-Break and SIGHUP when the console is closed. (Elsewhere SIGHUP is left alone, for `nohup`.) */
const SIGNALS: readonly NodeJS.Signals[] =
  process.platform === "win32" ? ["SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"] : ["SIGINT", "SIGTERM"];

/** The user, or the system, asked the command to stop. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  /** What shells report for a command ended by a signal: 128 + its number. */
  readonly exitStatus: number;
  constructor(signal: NodeJS.Signals) {
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
  const interrupt = (signal: NodeJS.Signals): void => controller.abort(new Interruption(signal));
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}
