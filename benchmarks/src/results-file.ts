/** Where results go: one file per measurement and Node.js major version, so that a new run replaces the old one. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RESULTS } from "./paths.ts";

export async function writeResult(kind: string, nodeVersion: string, result: object): Promise<string> {
  const major = /^v?(\d+)/.exec(nodeVersion)?.[1] ?? "unknown";
  await mkdir(RESULTS, { recursive: true });
  const path = join(RESULTS, `${kind}-node${major}.json`);
  await writeFile(path, `${JSON.stringify(result, null, 1)}\n`);
  return path;
}
