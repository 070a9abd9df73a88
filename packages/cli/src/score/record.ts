import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { writeWhole } from "@gpt2-ts/gpt2/node";
import type { Settings } from "./settings.ts";

/** How far a corpus has been scored: after a line of the input whose answer, like all before it, is written. */
export interface Position {
  /** Lines of the input, those of blanks included, and the SHA-256 of these: each with a line break. */
  readonly inputLines: number;
  readonly inputBytes: number;
  readonly inputDigest: string;
  /** Lines of the output, how many of them report what is wrong with a line, and the tokens of the others. */
  readonly lines: number;
  readonly failed: number;
  readonly tokens: number;
}

/** Where nothing has been scored. */
export const BEGINNING: Position = {
  ...{ inputLines: 0, inputBytes: 0, inputDigest: createHash("sha256").digest("hex") },
  ...{ lines: 0, failed: 0, tokens: 0 },
};

/** What is kept beside an output, as JSON, to go on with it. */
export interface RunRecord {
  readonly made: typeof MADE;
  readonly settings: Settings;
  readonly position: Position;
  /** The beginning of the output that belongs to the position, and its SHA-256. */
  readonly outputBytes: number;
  readonly outputDigest: string;
  /** Whether the input ended there. */
  readonly complete: boolean;
}

/** The form of records, and of what they tell of. */
export const MADE = "gpt2 score 1";

export function recordPath(output: string): string {
  return `${output}.run.json`;
}

export async function writeRecord(output: string, record: RunRecord): Promise<void> {
  await writeWhole(recordPath(output), `${JSON.stringify(record, undefined, 2)}\n`);
}

/**
 * The record beside an output; undefined if there is none.
 *
 * @throws Error for something else in its place
 */
export async function readRecord(output: string): Promise<RunRecord | undefined> {
  const path = recordPath(output);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let record: Partial<RunRecord> | null = null;
  try {
    record = JSON.parse(text) as Partial<RunRecord> | null;
  } catch {}
  if (record?.made !== MADE) throw new Error(`${path}: it is no record of this version of gpt2 score`);
  return record as RunRecord;
}
