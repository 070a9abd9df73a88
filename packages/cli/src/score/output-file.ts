import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Compression, compressed, compressionFor } from "../compressed.ts";
import { BEGINNING, MADE, type Position, type RunRecord, readRecord, recordPath, writeRecord } from "./record.ts";
import { difference, type Settings } from "./settings.ts";

/** Bytes of text that become a member of a gzip file or a frame of a zstd file, unless the position is noted before. */
const PIECE_BYTES = 2 ** 22;
/** Milliseconds between two notes of the position: at least so many, and so that they take a fiftieth of the time. */
const NOTE_INTERVAL_MS = 500;
const NOTE_SHARE = 50;

/** What tells that there is no room: for a file, a disk, a user. */
const NO_ROOM: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * The output of scoring as a file that can be gone on with, whatever ended the process. A record beside it tells from time to time up
 * to where it is whole, and what it was made of; what was written after that is cut off and made again.
 */
export class OutputFile {
  readonly #path: string;
  readonly #settings: Settings;
  readonly #file: FileHandle;
  readonly #compression: Compression | undefined;
  readonly #hash: Hash;
  #length: number;
  /** Text that is not compressed yet. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** Where `note` was last told to be, and whether that is in the record. */
  #position: Position | undefined;
  #noted = true;
  #nextNote = 0;
  #broken = false;

  private constructor(path: string, settings: Settings, file: FileHandle, hash: Hash, record: RunRecord | undefined) {
    this.#path = path;
    this.#settings = settings;
    this.#file = file;
    this.#compression = compressionFor(path);
    this.#hash = hash;
    this.#position = record?.position;
    this.#length = record?.outputBytes ?? 0;
  }

  /**
   * Makes a file, or opens one that was made with the same settings if `resume` is set.
   *
   * @throws Error if there is a file, or, with `resume`, one that these settings did not make
   */
  static async open(path: string, settings: Settings, resume: boolean): Promise<OutputFile> {
    const record = await readRecord(path);
    if (record && record.outputBytes > 0 && resume) {
      const file = await open(path, "r+").catch((cause) => {
        throw new Error(`${path}: it cannot be gone on with: ${reasonOf(cause)}`, { cause });
      });
      try {
        return new OutputFile(path, settings, file, await checkedBeginning(path, file, record, settings), record);
      } catch (error) {
        await file.close();
        throw error;
      }
    }
    compressionFor(path); // before there is a file
    const file = await open(path, "a+").catch((cause) => {
      throw new Error(`${path}: it cannot be written: ${reasonOf(cause)}`, { cause });
    });
    const stats = await file.stat();
    await file.close();
    if (!stats.isFile()) throw new Error(`${path}: it is no file; for a pipe or a device leave out --out`);
    // What a run left that was killed before its first lines were noted is made again.
    if (stats.size > 0 && !(record && resume)) throw new Error(`${path}: ${refusal(path, resume)}`);
    const made = new OutputFile(path, settings, await open(path, "w"), createHash("sha256"), undefined);
    await made.#note(false);
    return made;
  }

  /** Where to go on; undefined at the start. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Whole lines. Throws an Error that names the file. */
  async write(lines: Iterable<string>, position: Position): Promise<void> {
    for (const piece of lines) await this.#write(Buffer.from(piece));
    this.#position = position;
    this.#noted = false;
    if (performance.now() >= this.#nextNote) await this.#note(false);
  }

  /** @param complete whether the input ended at this position */
  async close(complete: Position | undefined): Promise<void> {
    try {
      if (complete) {
        this.#position = complete;
        this.#noted = false;
      }
      if (!this.#noted && !this.#broken) await this.#note(complete !== undefined);
    } finally {
      await this.#file.close();
    }
  }

  async #write(text: Buffer): Promise<void> {
    if (this.#compression === undefined) return this.#append(text);
    this.#pieces.push(text);
    this.#pieceBytes += text.length;
    if (this.#pieceBytes >= PIECE_BYTES) await this.#compressPieces(this.#compression);
  }

  async #compressPieces(compression: Compression): Promise<void> {
    if (this.#pieceBytes === 0) return;
    const text = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    await this.#append(await compressed(text, compression));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#trying(async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#length + done);
        done += bytesWritten;
      }
    });
    this.#length += bytes.length;
    this.#hash.update(bytes);
  }

  async #note(complete: boolean): Promise<void> {
    const began = performance.now();
    if (this.#compression !== undefined) await this.#compressPieces(this.#compression);
    await this.#trying(async () => {
      const { size } = await this.#file.stat();
      if (size !== this.#length) throw new Error("something else writes to it");
      await this.#file.datasync();
      await writeRecord(this.#path, {
        made: MADE,
        settings: this.#settings,
        position: this.#position ?? BEGINNING,
        outputBytes: this.#length,
        outputDigest: this.#hash.copy().digest("hex"),
        complete,
      });
    });
    this.#noted = true;
    const now = performance.now();
    this.#nextNote = now + Math.max(NOTE_INTERVAL_MS, NOTE_SHARE * (now - began));
  }

  async #trying(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      this.#broken = true;
      throw new Error(`${this.#path}: ${reasonOf(cause)}`, { cause });
    }
  }
}

function refusal(path: string, resume: boolean): string {
  if (!resume) return "it is there already; go on with it by --resume, or remove it";
  return `it cannot be gone on with: there is no ${recordPath(path)}, which gpt2 score writes beside its output`;
}

function reasonOf(error: unknown): string {
  const { code, message, cause } = error as NodeJS.ErrnoException;
  const deeper = code ?? (cause as NodeJS.ErrnoException | undefined)?.code;
  if (!NO_ROOM.has(deeper)) return message;
  return `there is no room (${deeper}); what it holds is kept: make room, and go on with --resume`;
}

/** Cuts off what the record does not tell of. Throws an Error if the rest is not what it tells of. */
async function checkedBeginning(path: string, file: FileHandle, record: RunRecord, settings: Settings): Promise<Hash> {
  const refuse = (reason: string): never => {
    throw new Error(`${path}: it cannot be gone on with: ${reason}`);
  };
  const other = difference(record.settings, settings);
  if (other !== undefined) refuse(other);
  const { size } = await file.stat();
  if (size < record.outputBytes) refuse(`it has ${size} bytes, and had ${record.outputBytes}`);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { end: record.outputBytes - 1 })) hash.update(chunk as Uint8Array);
  if (hash.copy().digest("hex") !== record.outputDigest) refuse("it was changed");
  await file.truncate(record.outputBytes);
  return hash;
}
