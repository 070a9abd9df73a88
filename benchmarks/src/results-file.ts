/**
 * Where results go: a folder for each processor, and in it one file per measurement and Node.js major version, so that a new
 * run replaces the old one of the same machine.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunConditions } from "./harness/machine.ts";
import { type Processor, processorOf } from "./harness/processor.ts";
import { RESULTS } from "./paths.ts";

type MeasuredOn = Pick<RunConditions, "machine" | "node">;

export function resultPath(kind: string, { machine, node }: MeasuredOn): string {
  const major = /^v?(\d+)/.exec(node)?.[1] ?? "unknown";
  return join(RESULTS, processorOf(machine).slug, `${kind}-node${major}.json`);
}

/** Returns the path. */
export async function writeResult(kind: string, measuredOn: MeasuredOn, result: object): Promise<string> {
  const path = resultPath(kind, measuredOn);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(result, null, 1)}\n`);
  return path;
}

/** An earlier result, or undefined if there is none. */
export async function readResult<Result>(kind: string, measuredOn: MeasuredOn): Promise<Result | undefined> {
  const path = resultPath(kind, measuredOn);
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as Result) : undefined;
}

/** The results of one kind from one processor, oldest Node.js version first. */
export interface ProcessorResults<Result> {
  readonly processor: Processor;
  readonly results: readonly Result[];
}

/** All results of one kind, in the order of the processors' folders. */
export async function readResults<Result extends object>(
  kind: string,
  folder: string = RESULTS,
): Promise<ProcessorResults<Result>[]> {
  const pattern = new RegExp(`^${kind}-node(\\d+)\\.json$`);
  const folders = existsSync(folder) ? await readdir(folder, { withFileTypes: true }) : [];
  const found: ProcessorResults<Result>[] = [];
  for (const { name } of folders.filter((entry) => entry.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const files = await readdir(join(folder, name));
    const ours = files.flatMap((file) => {
      const major = pattern.exec(file)?.[1];
      return major === undefined ? [] : [{ file, major: Number(major) }];
    });
    ours.sort((a, b) => a.major - b.major);
    const read = async ({ file }: { file: string }) =>
      JSON.parse(await readFile(join(folder, name, file), "utf8")) as Result;
    const results = await Promise.all(ours.map(read));
    const conditions = results.flatMap(conditionsOf)[0];
    if (conditions !== undefined) found.push({ processor: processorOf(conditions.machine), results });
  }
  return found;
}

/** Under which conditions a result, or each of its parts, was measured. */
export function conditionsOf(result: object): RunConditions[] {
  return Object.entries(result).flatMap(([key, value]) => {
    if (key === "conditions") return [value as RunConditions];
    return typeof value === "object" && value !== null && !Array.isArray(value) ? conditionsOf(value) : [];
  });
}

/** What does not depend on the processor is shown from the one that was measured last. */
export function newest<Result extends object>(all: readonly ProcessorResults<Result>[]): readonly Result[] {
  const date = ({ results }: ProcessorResults<Result>): string =>
    results.flatMap(conditionsOf).reduce((latest, { date }) => (date > latest ? date : latest), "");
  const [first, ...others] = all;
  if (first === undefined) return [];
  return others.reduce((latest, one) => (date(one) > date(latest) ? one : latest), first).results;
}
