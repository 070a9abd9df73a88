import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OptionError } from "@gpt2-ts/tensor/options";
import { HOST, isAbandoned } from "../../process-owner.ts";
import { replace } from "../../replace.ts";
import { TOKENIZER_FILES } from "../../tokenizer-files.ts";
import { INDEX_FILE, SINGLE_FILE } from "../open-checkpoint.ts";

/** Written once everything is there, when several files have to be exchanged: from then on that is finished, by whom ever. */
const JOURNAL = "exchange.json";

/** What {@link JOURNAL} says. */
interface Exchange {
  /** Files of the folder that go first, so that nobody takes what is half exchanged for a model. */
  readonly remove: readonly string[];
  /** Files that come from the temporary folder, the checkpoint last. */
  readonly place: readonly string[];
}

/** `.<folder>.<host>-<process>-<time>-<random>.converting` */
const NAME = /\.([0-9a-f]{8})-(\d+)-(\d{14})-[0-9a-f]{8}\.converting$/;

/** Files of a model that would be read together with these new ones, and belong to another. */
export function otherModelFiles(names: readonly string[]): string[] {
  const hasTokenizer = TOKENIZER_FILES.some((name) => names.includes(name));
  const known = [INDEX_FILE, "generation_config.json", ...(hasTokenizer ? TOKENIZER_FILES : [])];
  return known.filter((name) => !names.includes(name));
}

/** A temporary folder in which a model is put together, until it takes its place at once. Its name tells whose it is. */
export class Staging {
  readonly #temporary: string;
  readonly #folder: string;
  readonly #exists: boolean;

  private constructor(temporary: string, folder: string, exists: boolean) {
    this.#temporary = temporary;
    this.#folder = folder;
    this.#exists = exists;
  }

  /**
   * Begins a model that is to be in `folder`, which may exist. Removes what killed conversions have left of theirs.
   * @throws OptionError if no folder can be made, or if another conversion into it is running
   */
  static async begin(folder: string): Promise<Staging> {
    const exists = (await stat(folder).catch(() => undefined)) !== undefined;
    // Inside the folder if it exists: it may be on another disk than the one around it, and files can be moved only within a disk.
    const place = exists ? folder : dirname(folder);
    const time = String(Date.now()).padStart(14, "0");
    const name = `.${basename(folder)}.${HOST}-${process.pid}-${time}-${randomBytes(4).toString("hex")}.converting`;
    const staging = new Staging(join(place, name), folder, exists);
    await mkdir(staging.#temporary).catch((cause: NodeJS.ErrnoException) => {
      throw new OptionError("out", `no folder can be made in ${place} (${cause.code})`);
    });
    try {
      await Staging.recover(folder);
      const earlier = (await stagingsOf(folder)).find((other) => other.order < orderOf(name));
      if (earlier) {
        throw new OptionError("out", `another conversion into ${folder} is running (process ${earlier.pid})`);
      }
    } catch (error) {
      await staging.discard();
      throw error;
    }
    return staging;
  }

  /** Finishes what a killed conversion into this folder had begun to exchange, and removes what others left. */
  static async recover(folder: string): Promise<void> {
    for (const { path, abandoned } of await stagingsOf(folder)) {
      if (!abandoned) continue;
      const journal = await readFile(join(path, JOURNAL), "utf8").catch(() => undefined);
      if (journal !== undefined) await exchange(path, folder, JSON.parse(journal) as Exchange);
      await rm(path, { recursive: true, force: true });
    }
  }

  /** Where a file of the new model is written. */
  path(name: string): string {
    return join(this.#temporary, name);
  }

  /**
   * Puts these files, the checkpoint among them, in their place: a new folder at once; in one that exists, those that differ.
   * @throws OptionError if the folder came to be in the meantime
   */
  async finish(names: readonly string[]): Promise<void> {
    if (!this.#exists) {
      await rename(this.#temporary, this.#folder).catch((cause: NodeJS.ErrnoException) => {
        throw new OptionError(
          "out",
          `${this.#folder} was made by another program meanwhile, and is left to it (${cause.code})`,
        );
      });
      return;
    }
    const texts = await Promise.all(
      names.filter((name) => name !== SINGLE_FILE).map(async (name) => ((await this.#isThere(name)) ? [] : [name])),
    );
    const there = await readdir(this.#folder);
    const place = [...texts.flat(), SINGLE_FILE];
    const others = otherModelFiles(names).filter((name) => there.includes(name));
    // A checkpoint alone is replaced in one step.
    const remove = place.length === 1 && others.length === 0 ? [] : [SINGLE_FILE, ...others];
    if (remove.length > 0) {
      await writeFile(this.path(`${JOURNAL}.tmp`), JSON.stringify({ remove, place } satisfies Exchange), {
        flush: true,
      });
      await rename(this.path(`${JOURNAL}.tmp`), this.path(JOURNAL));
    }
    await exchange(this.#temporary, this.#folder, { remove, place }).catch((cause: NodeJS.ErrnoException) => {
      throw new OptionError("out", `a file of ${this.#folder} cannot be replaced (${cause.code} ${cause.path})`);
    });
    await rm(this.#temporary, { recursive: true, force: true });
  }

  /** Removes what was written, unless it is being exchanged: then the next conversion finishes that. */
  async discard(): Promise<void> {
    const exchanging = (await stat(this.path(JOURNAL)).catch(() => undefined)) !== undefined;
    if (!exchanging) await rm(this.#temporary, { recursive: true, force: true });
  }

  /** Whether the folder has the very same file. */
  async #isThere(name: string): Promise<boolean> {
    const old = await readFile(join(this.#folder, name)).catch(() => undefined);
    return old?.equals(await readFile(this.path(name))) ?? false;
  }
}

/** Can be done again from any point on. */
async function exchange(temporary: string, folder: string, { remove, place }: Exchange): Promise<void> {
  const waiting = await readdir(temporary);
  // If the new checkpoint is in its place, all that came before was done.
  if (!waiting.includes(SINGLE_FILE)) return;
  for (const name of remove) await rm(join(folder, name), { force: true });
  for (const name of place) {
    if (waiting.includes(name)) await replace(join(temporary, name), join(folder, name));
  }
}

interface Found {
  readonly path: string;
  readonly pid: number;
  /** Ascending in time. */
  readonly order: string;
  readonly abandoned: boolean;
}

/** The temporary folders for a folder, inside and beside it. */
async function stagingsOf(folder: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const place of [folder, dirname(folder)]) {
    for (const name of await readdir(place).catch(() => [])) {
      const start = `.${basename(folder)}`;
      const [ending, host, pid] = NAME.exec(name) ?? [];
      if (ending === undefined || name !== start + ending) continue;
      const path = join(place, name);
      const touched = await lastTouched(path);
      if (touched === undefined) continue; // gone meanwhile
      found.push({ path, pid: Number(pid), order: orderOf(name), abandoned: isAbandoned(host, Number(pid), touched) });
    }
  }
  return found;
}

function orderOf(name: string): string {
  const [, host, pid, time] = NAME.exec(name)!;
  return `${time} ${host} ${pid} ${name}`;
}

/** When a folder or a file in it was written to, in milliseconds; undefined if it is not there. */
async function lastTouched(path: string): Promise<number | undefined> {
  const names = await readdir(path).catch(() => []);
  const times = await Promise.all(
    [path, ...names.map((name) => join(path, name))].map((at) => stat(at).catch(() => undefined)),
  );
  return times[0] && Math.max(...times.map((stats) => stats?.mtimeMs ?? 0));
}
