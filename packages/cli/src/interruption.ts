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
 *
 * @param work gets besides a function that does what such a signal does, for terminals that hand Ctrl-C on as a key
 * @param spares stops a part of the work instead, and says whether it did: then nothing else is interrupted
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal, interrupt: (by: NodeJS.Signals) => void) => Promise<Result>,
  spares: (by: NodeJS.Signals) => boolean = () => false,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (by: NodeJS.Signals): void => {
    if (spares(by)) return;
    ignore();
    controller.abort(new Interruption(by));
  };
  const ignore = (): void => {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await work(controller.signal, interrupt);
  } finally {
    ignore();
  }
}
