import type { Part, PartWriter } from "../hub/fetch-part.ts";

/**
 * Bytes that are written at once. What has not been written is lost when the tab is closed, and a file that is being written is
 * copied by browsers if it is to be continued.
 */
const PIECE_BYTES = 16 * 2 ** 20;
/**
 * Bytes of one write. Chromium sends them through a pipe that holds 2 MB, and for more of them than that may tell an AbortError, "Failed
 * to write data to data pipe", before the true reason comes back, which is a quota that is exceeded.
 */
const WRITE_BYTES = 2 ** 20;

/**
 * A file in the origin's private file system that grows and survives a closed tab: pieces `name.0`, `name.1`, ... of any length,
 * each written in one step and never touched again. Together they are read as one Blob, of which nothing is in memory.
 */
export class KeptFile implements Part {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #name: string;
  readonly #isVerified: boolean;
  #pieces: File[];
  #length: number;
  validator: string | undefined;

  private constructor(folder: FileSystemDirectoryHandle, name: string, pieces: File[], isVerified: boolean) {
    this.#folder = folder;
    this.#name = name;
    this.#pieces = pieces;
    this.#isVerified = isVerified;
    this.#length = this.written;
  }

  /**
   * Opens what there is of a file.
   *
   * @param file its name in the repository
   * @param isVerified whether its bytes will be verified, so that those of an earlier visit may be continued
   */
  static async open(folder: FileSystemDirectoryHandle, file: string, isVerified: boolean): Promise<KeptFile> {
    const name = encodeURIComponent(file);
    const pieces: File[] = [];
    for (let piece = await find(folder, `${name}.0`); piece; piece = await find(folder, `${name}.${pieces.length}`)) {
      pieces.push(piece);
    }
    return new KeptFile(folder, name, pieces, isVerified);
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes that a closed tab leaves behind. */
  get written(): number {
    return this.#pieces.reduce((sum, { size }) => sum + size, 0);
  }

  get continuable(): boolean {
    return this.validator !== undefined || (this.#isVerified && this.#length > 0);
  }

  blob(): Blob {
    return new Blob(this.#pieces);
  }

  async restart(validator: string | undefined): Promise<void> {
    // From the end, so that what is left of it is a beginning.
    while (this.#pieces.length > 0) {
      await this.#folder.removeEntry(`${this.#name}.${this.#pieces.length - 1}`);
      this.#length -= this.#pieces.pop()!.size;
    }
    this.#length = 0;
    this.validator = validator;
  }

  async writer(): Promise<PartWriter> {
    let waiting: Uint8Array<ArrayBuffer> = new Uint8Array(PIECE_BYTES);
    let filled = 0;
    const flush = async (): Promise<void> => {
      if (filled === 0) return;
      const bytes = waiting.subarray(0, filled);
      filled = 0;
      this.#pieces.push(await write(this.#folder, `${this.#name}.${this.#pieces.length}`, bytes));
    };
    return {
      write: async (chunk) => {
        for (let done = 0; done < chunk.length; ) {
          const part = chunk.subarray(done, done + PIECE_BYTES - filled);
          waiting.set(part, filled);
          filled += part.length;
          done += part.length;
          if (filled === PIECE_BYTES) await flush();
        }
        this.#length += chunk.length;
      },
      close: async () => {
        await flush();
        waiting = new Uint8Array();
      },
    };
  }
}

async function find(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  const handle = await ifThere(folder.getFileHandle(name));
  return handle?.getFile();
}

async function write(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<File> {
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    const writable = await handle.createWritable();
    try {
      for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
        await writable.write(bytes.subarray(at, at + WRITE_BYTES));
      }
    } catch (error) {
      await writable.abort().catch(() => undefined);
      throw error;
    }
    await writable.close();
    return await handle.getFile();
  } catch (error) {
    // An empty file would be an empty piece.
    await folder.removeEntry(name).catch(() => undefined);
    throw error;
  }
}

/** What a handle leads to; undefined if there is no such file or folder. */
export async function ifThere<Result>(found: Promise<Result>): Promise<Result | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as Error).name === "NotFoundError") return undefined;
    throw error;
  }
}

/** A small file's JSON; undefined if there is none. */
export async function readJson(folder: FileSystemDirectoryHandle, name: string): Promise<unknown> {
  const file = await find(folder, name);
  try {
    return file && JSON.parse(await file.text());
  } catch {
    return undefined;
  }
}

/** Writes a small file in one step. */
export async function writeJson(folder: FileSystemDirectoryHandle, name: string, value: unknown): Promise<void> {
  await write(folder, name, new TextEncoder().encode(JSON.stringify(value)));
}
