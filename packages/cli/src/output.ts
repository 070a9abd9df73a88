/** The reader of standard output has gone, as `head` does when it has enough. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

let watched = false;

/**
 * Writes to standard output and waits until it is accepted, so that output never runs far ahead of its reader.
 *
 * @throws OutputClosedError
 */
export async function writeOut(data: string | Uint8Array): Promise<void> {
  if (!watched) {
    watched = true;
    process.stdout.on("error", () => {}); // the callback below gets it too
  }
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(data, (error) => {
      if (!error) resolve();
      else if ((error as NodeJS.ErrnoException).code === "EPIPE") reject(new OutputClosedError(error.message));
      else reject(new Error(`standard output: ${error.message}`, { cause: error }));
    });
  });
}
