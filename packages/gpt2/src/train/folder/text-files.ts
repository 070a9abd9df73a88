import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Document } from "../data.ts";

/** A file of text: one text, or, if its name ends in `.jsonl`, one in each line, as `{"text": …}`. */
export interface TextFile {
  readonly path: string;
  readonly bytes: number;
  /** Where the part begins that is held out; `bytes` if none is. */
  readonly cut: number;
}

/** Bytes that are read at once. */
const PIECE = 2 ** 18;
/** How far behind its place a cut looks for the end of a line. */
const LINE = 2 ** 20;
const LINE_FEED = 0x0a;
/** A line of JSON with more is a mistake. */
const LONGEST_LINE = 2 ** 28;

/**
 * The files at these paths, the last `share` of each held out.
 *
 * @param option what names the paths, for messages
 * @throws OptionError for a path without a file, and for files without text
 */
export async function textFiles(option: string, paths: readonly string[], share: number): Promise<TextFile[]> {
  if (paths.length === 0) throw new OptionError(option, "expected at least one file");
  const files: TextFile[] = [];
  for (const given of paths) {
    if (given === "") throw new OptionError(option, "expected the path of a file");
    const path = resolve(given);
    const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
      throw new OptionError(
        option,
        cause.code === "ENOENT" ? `there is no file ${given}` : `${given} cannot be read (${cause.code})`,
      );
    });
    if (!stats.isFile()) throw new OptionError(option, `${given} is not a file`);
    if (stats.size === 0) throw new OptionError(option, `${given} is empty`);
    files.push({
      path,
      bytes: stats.size,
      cut: share === 0 ? stats.size : await cutAt(path, Math.floor(stats.size * (1 - share)), stats.size),
    });
  }
  return files;
}

/** The texts of the files: of what is learned from, or of what is held out. */
export async function* documentsOf(
  files: readonly TextFile[],
  part: "train" | "heldOut",
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<Document> {
  for (const { path, bytes, cut } of files) {
    const [start, end] = part === "train" ? [0, cut] : [cut, bytes];
    if (start === end) continue;
    const pieces = piecesOf(path, start, end, onBytes);
    if (path.endsWith(".jsonl")) yield* textsOfLines(path, pieces);
    else yield pieces;
  }
}

async function* piecesOf(
  path: string,
  start: number,
  end: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: start > 0 });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch {
      throw new OptionError("text", `${path} is not UTF-8 text`);
    }
  };
  const file = await open(path);
  try {
    const buffer = new Uint8Array(PIECE);
    for (let position = start; position < end; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(PIECE, end - position), position);
      if (bytesRead === 0) throw new OptionError("text", `${path} became shorter while it was read`);
      position += bytesRead;
      onBytes(bytesRead);
      yield decode(buffer.subarray(0, bytesRead));
    }
    yield decode();
  } finally {
    await file.close();
  }
}

async function* textsOfLines(path: string, pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  let number = 0;
  const textOf = (line: string): string[] => {
    number++;
    return line.trim() === "" ? [] : [textOfLine(line, `${path}, line ${number} of its part`)];
  };
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE)
      throw new OptionError("text", `${path} has a line of more than ${LONGEST_LINE} characters`);
    for (const line of lines) yield* textOf(line);
  }
  yield* textOf(rest);
}

function textOfLine(line: string, where: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new OptionError("text", `${where} is not JSON`);
  }
  const text = (value as { readonly text?: unknown } | null)?.text;
  if (typeof text === "string") return text;
  throw new OptionError("text", `${where}: expected {"text": …}, got ${showValue(value)}`);
}

/** A place at or behind `at` where a line begins, or, in a text without line breaks near it, a character. */
async function cutAt(path: string, at: number, bytes: number): Promise<number> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(Math.min(LINE, bytes - at)), 0, undefined, at);
    const lineEnd = buffer.subarray(0, bytesRead).indexOf(LINE_FEED);
    if (lineEnd >= 0 && at + lineEnd + 1 < bytes) return at + lineEnd + 1;
    if (path.endsWith(".jsonl")) return bytes;
    const isInside = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
    let cut = 0;
    while (isInside(buffer[cut])) cut++;
    return at + cut;
  } finally {
    await file.close();
  }
}
