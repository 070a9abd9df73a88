import { appendFile, readFile } from "node:fs/promises";
import { writeWhole } from "../../write-whole.ts";
import { written } from "../../written.ts";
import type { TrainingProgress } from "../train.ts";

/** A line of `log.jsonl`: a step, or a look at the held-out text. */
export type LogRecord =
  | {
      readonly step: number;
      readonly loss: number;
      readonly gradientNorm: number;
      readonly learningRate: number;
      readonly tokensPerSecond: number;
    }
  | { readonly step: number; readonly heldOutLoss: number };

/** What is kept of a report; nothing of a look at no text. */
export function recordOf(progress: TrainingProgress): LogRecord | undefined {
  const { step } = progress;
  if (progress.type === "evaluation") {
    return progress.heldOutLoss === undefined ? undefined : { step, heldOutLoss: progress.heldOutLoss };
  }
  const { loss, gradientNorm, learningRate, tokensPerSecond } = progress;
  return { step, loss, gradientNorm, learningRate, tokensPerSecond: Math.round(tokensPerSecond * 10) / 10 };
}

export async function appendRecord(path: string, record: LogRecord): Promise<void> {
  await written(path, appendFile(path, `${JSON.stringify(record)}\n`));
}

/** The records up to a step. Lines that a killed process wrote half are none. */
export async function readLog(
  path: string,
  position: { readonly step: number; readonly evaluated: number | undefined },
): Promise<LogRecord[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const record = parse(line);
    if (record === undefined) return [];
    const last = "heldOutLoss" in record ? (position.evaluated ?? -1) : position.step;
    return record.step <= last ? [record] : [];
  });
}

/** Forgets what came after the state that a training goes on from. */
export async function rewriteLog(path: string, records: readonly LogRecord[]): Promise<void> {
  await writeWhole(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}

function parse(line: string): LogRecord | undefined {
  try {
    const record: unknown = JSON.parse(line);
    return typeof (record as LogRecord | null)?.step === "number" ? (record as LogRecord) : undefined;
  } catch {
    return undefined;
  }
}
