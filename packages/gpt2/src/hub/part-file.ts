import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HOST, isAbandoned } from "../process-owner.ts";
import { replace } from "../replace.ts";
import type { Part, PartWriter } from "./fetch-part.ts";

const NOBODY = 0;

/**
 * A file being downloaded: `<blob>.<host>-<process>-<random>.incomplete`, with the ETag of its bytes in a file beside
 * it. Only the process in its name writes to it, so two downloads of one blob never touch the same bytes; a later
 * process takes over the part of a dead one by renaming it, which succeeds for one of them only.
 */
export class PartFile implements Part {
  readonly path: string;
  /** The strong ETag that the bytes so far belong to; without one they cannot be continued. */
  validator: string | undefined;
  length: number;

  private constructor(path: string, validator: string | undefined, length: number) {
    this.path = path;
    this.validator = validator;
    this.length = length;
  }

  /** Takes over what an earlier process left of this blob, or starts an empty part. */
  static async claim(blobPath: string): Promise<PartFile> {
    const path = ownName(blobPath, process.pid);
    let claimed = false;
    for (const candidate of await abandonedParts(blobPath)) {
      if (claimed) {
        await removeBoth(candidate);
        continue;
      }
      try {
        // A part's age tells whether somebody writes to it, to other threads of this process too.
        const now = new Date();
        await utimes(candidate, now, now);
        await rename(candidate, path);
        claimed = true;
        await rename(validatorPath(candidate), validatorPath(path));
      } catch {
        // Another process was faster, or the part has no ETag: then its bytes are not used.
      }
    }
    const validator = claimed ? await readFile(validatorPath(path), "utf8").catch(() => undefined) : undefined;
    const length = validator === undefined ? 0 : (await stat(path)).size;
    return new PartFile(path, validator, length);
  }

  get continuable(): boolean {
    return this.validator !== undefined;
  }

  async writer(): Promise<PartWriter> {
    const handle = await open(this.path, "r+");
    return {
      write: async (chunk) => {
        for (let done = 0; done < chunk.length; ) {
          done += (await handle.write(chunk, done, chunk.length - done, this.length + done)).bytesWritten;
        }
        this.length += chunk.length;
      },
      close: () => handle.close(),
    };
  }

  /** Starts over, with bytes of another version. Ordered so that a crash never leaves bytes beside another version's ETag. */
  async restart(validator: string | undefined): Promise<void> {
    await rm(validatorPath(this.path), { force: true });
    await writeFile(this.path, "");
    this.length = 0;
    this.validator = validator;
    if (validator !== undefined) await writeFile(validatorPath(this.path), validator);
  }

  /** Moves the verified bytes to their final place. */
  async finish(blobPath: string): Promise<void> {
    try {
      await replace(this.path, blobPath);
    } catch (error) {
      // Another download was faster, and Windows replaces no file that somebody reads.
      const blob = await stat(blobPath).catch(() => undefined);
      if (blob?.size !== this.length) throw error;
      await rm(this.path, { force: true });
    }
    await rm(validatorPath(this.path), { force: true });
  }

  /** Leaves the bytes for a later download to continue. */
  async release(): Promise<void> {
    if (this.validator === undefined || this.length === 0) {
      await this.discard();
      return;
    }
    const [, blobPath] = PART_NAME.exec(this.path) ?? [];
    const free = ownName(blobPath ?? this.path, NOBODY);
    // The ETag goes first: a part whose ETag is missing is started over, an ETag without a part is ignored.
    await rename(validatorPath(this.path), validatorPath(free));
    await rename(this.path, free);
  }

  async discard(): Promise<void> {
    await removeBoth(this.path);
  }
}

const PART_NAME = /^(.*)\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.incomplete$/;

function ownName(blobPath: string, pid: number): string {
  return `${blobPath}.${HOST}-${pid}-${randomBytes(4).toString("hex")}.incomplete`;
}

function validatorPath(path: string): string {
  return `${path}.etag`;
}

async function removeBoth(path: string): Promise<void> {
  await rm(validatorPath(path), { force: true });
  await rm(path, { force: true });
}

/** @returns parts of this blob that nobody writes to, the longest first */
async function abandonedParts(blobPath: string): Promise<string[]> {
  const folder = dirname(blobPath);
  const found: { path: string; size: number }[] = [];
  for (const name of await readdir(folder)) {
    const [, blob, host, pid] = PART_NAME.exec(name) ?? [];
    if (blob !== basename(blobPath)) continue;
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) continue;
    if (Number(pid) === NOBODY || isAbandoned(host, Number(pid), info.mtimeMs)) found.push({ path, size: info.size });
  }
  return found.sort((a, b) => b.size - a.size).map(({ path }) => path);
}
