import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import { writeNote } from "./output.ts";
import { BoundedText, Utf8Decoder } from "./utf8.ts";

const STDIN = "standard input";

/** Tells someone at a terminal what the command waits for. */
export function announceInput(what: string): void {
  if (process.stdin.isTTY) writeNote(`reading ${what} from standard input; end with Ctrl-D\n`);
}

/**
 * Standard input as it arrives.
 *
 * @throws `signal.reason` when aborted, also while waiting
 */
export function inputChunks(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  return chunksOf(process.stdin, STDIN, signal);
}

/**
 * A file as it is read.
 *
 * @throws `signal.reason` when aborted
 */
export function fileChunks(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  return chunksOf(createReadStream(path), path, signal);
}

/**
 * Waits for what is read from a file.
 *
 * @throws Error that names the file; `signal.reason` when aborted
 */
export async function fromFile<Content>(
  path: string,
  reading: Promise<Content>,
  signal: AbortSignal,
): Promise<Content> {
  try {
    return await reading;
  } catch (cause) {
    signal.throwIfAborted();
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw new Error(`${path}: the file cannot be read (${code})`, { cause });
  }
}

async function* chunksOf(stream: Readable, name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of addAbortSignal(signal, stream)) yield chunk as Uint8Array;
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Standard input as text, exactly, as it arrives. Throws an Error that says which byte is not UTF-8. */
export async function* inputPieces(signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new Utf8Decoder(STDIN);
  for await (const chunk of inputChunks(signal)) yield decoder.push(chunk);
  decoder.end();
}

/** All of standard input as text, exactly: nothing is replaced and a byte order mark is kept. */
export async function inputText(signal: AbortSignal): Promise<string> {
  const text = new BoundedText(STDIN);
  for await (const piece of inputPieces(signal)) text.append(piece);
  return text.toString();
}

/** Without the line break that ends a file, or what was typed. */
export function withoutLastLineBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}

/** All of standard input. */
export async function inputBytes(signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of inputChunks(signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
