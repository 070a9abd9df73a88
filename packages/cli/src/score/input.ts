import { fstatSync, type Stats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { decompressed } from "../compressed.ts";
import { fileChunks, fromFile, inputChunks } from "../input.ts";

/** Where lines come from. */
export interface Source {
  /** Its text, decompressed. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Its bytes, as they are stored; undefined where nobody knows, as of a pipe. */
  readonly size: number | undefined;
  /** Whether more may come at any time, as from a pipe. */
  readonly live: boolean;
  /** How many of the bytes as they are stored make so many bytes of text, estimated if they are compressed. */
  readonly storedBytes: (textBytes: number) => number;
}

/** Of standard input. */
function inputStats(): Stats {
  const stats = fstatSync(0);
  // Node's loader does not follow symbolic links where the last file that was asked about is a pipe (`realpathSync` looks at that
  // answer): GPU.js behind a link, as pnpm makes them, would not find what lies beside it. So another file is asked about.
  statSync(process.execPath);
  return stats;
}

/** A file, or standard input, which may be a file too. */
export async function openSource(path: string | undefined, signal: AbortSignal): Promise<Source> {
  const stats = path === undefined ? inputStats() : await fromFile(path, stat(path), signal);
  let storedRead = 0;
  let textRead = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of path === undefined ? inputChunks(signal) : fileChunks(path, signal)) {
      storedRead += chunk.length;
      yield chunk;
    }
  };
  const text = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of named(decompressed(counted()), path ?? "standard input")) {
      textRead += chunk.length;
      yield chunk;
    }
  };
  return {
    chunks: text(),
    size: stats.isFile() ? stats.size : undefined,
    live: !stats.isFile(),
    storedBytes: (textBytes) => Math.min(textBytes * (storedRead / Math.max(textRead, 1)), storedRead),
  };
}

/** The same, with errors that name where the bytes are from. */
async function* named(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof Error) || error.name !== "Error" || message.startsWith(name)) throw error;
    throw new Error(`${name}: ${message}`, { cause: error });
  }
}
