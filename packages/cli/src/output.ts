/** The reader of standard output has gone, as `head` does when it has enough. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

/** Every way to print is here, so that a reader who has gone is met in one place. */
let watched = false;

/** A stream's errors are events too, and end the process if nobody listens. */
function watch(): void {
  if (watched) return;
  watched = true;
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/**
 * Writes to standard output and waits until it is accepted, so that output never runs far ahead of its reader.
 *
 * @throws OutputClosedError
 */
export async function writeOut(data: string | Uint8Array): Promise<void> {
  watch();
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(data, (error) => {
      if (!error) resolve();
      else if (CLOSED.has((error as NodeJS.ErrnoException).code)) reject(new OutputClosedError(error.message));
      else reject(new Error(`standard output: ${error.message}`, { cause: error }));
    });
  });
}

/** What a write fails with when the reader has gone, and from then on. */
const CLOSED: ReadonlySet<string | undefined> = new Set(["EPIPE", "ERR_STREAM_DESTROYED"]);

/** Writes to standard error. Nothing fails if nobody reads it: the work goes on, and its exit status stays its own. */
export function writeNote(text: string): void {
  watch();
  process.stderr.write(text);
}

/** Standard error, for a progress display; safe as {@link writeNote} is. */
export function noteStream(): NodeJS.WriteStream {
  watch();
  return process.stderr;
}
