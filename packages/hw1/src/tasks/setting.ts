import { join } from "node:path";
import type { GPT2 } from "@gpt2-ts/gpt2";
import { writeWhole } from "@gpt2-ts/gpt2/node";
import type { CourseData } from "../data/course-data.ts";
import type { Horizon2TopK } from "../temperature.ts";

/** What the tasks of a run have in common. */
export interface Setting {
  readonly model: GPT2;
  readonly data: CourseData;
  /** The output folder. */
  readonly out: string;
  readonly seed: number;
  /** Tokens of a sample. */
  readonly length: number;
  /** Whether files in the course's formats are wanted too. */
  readonly courseFiles: boolean;
  /** What top-k does at horizon 2. */
  readonly horizon2TopK: Horizon2TopK;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Called with the path of each file that was written. */
  readonly onFile: (path: string) => void;
}

/** Shows how far a task is. */
export interface Progress {
  start(total: number): void;
  update(done: number, label?: string): void;
  stop(): void;
}

/** Writes a file into the output folder. */
export async function writeOutput({ out, onFile }: Setting, file: string, data: string | Uint8Array): Promise<void> {
  const path = join(out, file);
  await writeWhole(path, data);
  onFile(path);
}
