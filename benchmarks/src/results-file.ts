/** Where results go: one file per measurement and Node.js major version, so that a new run replaces the old one. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RESULTS } from "./paths.ts";

export function resultPath(kind: string, nodeVersion: string): string {
  const major = /^v?(\d+)/.exec(nodeVersion)?.[1] ?? "unknown";
  return join(RESULTS, `${kind}-node${major}.json`);
}

/** Returns the path. */
export async function writeResult(kind: string, nodeVersion: string, result: object): Promise<string> {
  const path = resultPath(kind, nodeVersion);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(path, `${JSON.stringify(result, null, 1)}\n`);
  return path;
}

/** An earlier result, or undefined if there is none. */
export async function readResult<Result>(kind: string, nodeVersion: string): Promise<Result | undefined> {
  const path = resultPath(kind, nodeVersion);
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as Result) : undefined;
}
