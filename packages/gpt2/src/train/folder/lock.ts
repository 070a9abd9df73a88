import { rm, utimes, writeFile } from "node:fs/promises";
import { OptionError } from "@gpt2-ts/tensor/options";
import { removeAbandoned, temporaryPath } from "../../process-owner.ts";
import { written } from "../../written.ts";

/** Says that this process trains in a folder. */
export interface Lock extends AsyncDisposable {
  /** Says that it still does: to be called more often than every few minutes. */
  touch(): Promise<void>;
}

/** @throws OptionError if another process trains there */
export async function lock(path: string): Promise<Lock> {
  const own = temporaryPath(path);
  await written(own, writeFile(own, ""));
  const other = (await removeAbandoned(path)).find((used) => used.path !== own);
  if (other !== undefined) {
    await rm(own, { force: true });
    throw new OptionError("resume", `another process (${other.pid}) is training in this folder`);
  }
  return {
    touch: async () => {
      const now = new Date();
      await utimes(own, now, now).catch(() => {}); // the folder may be gone: then saving says so
    },
    [Symbol.asyncDispose]: () => rm(own, { force: true }),
  };
}
