import { addAbortSignal } from "node:stream";

/**
 * Standard input as it arrives.
 *
 * @throws `signal.reason` when aborted, also while waiting
 */
export async function* inputChunks(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of addAbortSignal(signal, process.stdin)) yield chunk as Uint8Array;
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`standard input: ${(error as Error).message}`, { cause: error });
  }
}

/** All of standard input. */
export async function inputBytes(signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of inputChunks(signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** All of standard input as text, exactly: nothing is replaced and a byte order mark is kept. */
export async function inputText(signal: AbortSignal): Promise<string> {
  return decodeStrictly(await inputBytes(signal), "standard input");
}

/** UTF-8 as text. Throws an Error that says which byte is wrong, instead of replacing it. */
export function decodeStrictly(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${what} is not UTF-8 text (at byte ${firstInvalidByte(bytes)})`, { cause });
  }
}

/** Where the first malformed character begins. By bisection: a prefix is sound if it can be decoded as a stream. */
function firstInvalidByte(bytes: Uint8Array): number {
  let sound = 0;
  let broken = bytes.length + 1; // unless only the end of the last character is missing
  while (broken - sound > 1) {
    const middle = (sound + broken) >> 1;
    if (isSoundBeginning(bytes.subarray(0, middle))) sound = middle;
    else broken = middle;
  }
  // Of a sound prefix, only whole characters are decoded.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return Buffer.byteLength(decoder.decode(bytes.subarray(0, sound), { stream: true }));
}

function isSoundBeginning(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Lines that arrived together, without their line breaks; the input's last line need not have one. */
export async function* inputLines(signal: AbortSignal): AsyncGenerator<Uint8Array[]> {
  let pending: Uint8Array[] = [];
  for await (const chunk of inputChunks(signal)) {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(Buffer.concat([...pending, chunk.subarray(start, end)]));
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (pending.length > 0) yield [Buffer.concat(pending)];
}

const NEWLINE = 0x0a;
