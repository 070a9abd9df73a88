/** The documents of this repository that people read: the README, CONTRIBUTING, SECURITY, `docs/` with its lessons, and the packages'
 * READMEs. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Document {
  /** From the repository's root, with forward slashes. */
  readonly name: string;
  readonly text: string;
}

export function documents(): Document[] {
  const pages = ["docs", "docs/lessons"].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).flatMap((name) => (name.endsWith(".md") ? [`${folder}/${name}`] : [])),
  );
  const packages = readdirSync(join(ROOT, "packages")).filter((name) =>
    existsSync(join(ROOT, "packages", name, "package.json")),
  );
  const names = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    ...pages,
    ...packages.map((name) => `packages/${name}/README.md`),
    "weights/shakespeare/README.md",
    "weights/stories/README.md",
  ];
  return names.map((name) => ({ name, text: readFileSync(join(ROOT, name), "utf8") }));
}

/** A fenced block of a document. */
export interface Fence {
  /** What stands behind the three backticks: `ts packages/gpt2/src/model/model.ts`. */
  readonly info: string;
  readonly code: string;
  /** Of its first fence, from 1. */
  readonly line: number;
}

export function fences(text: string): Fence[] {
  return Array.from(text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms), ({ index, 1: info = "", 2: code = "" }) => ({
    info,
    code,
    line: text.slice(0, index).split("\n").length,
  }));
}

/** A document without its fenced blocks, line for line. */
export function withoutFences(text: string): string {
  return text.replace(/^```[^\n]*\n.*?^```$/gms, (block) => block.replace(/[^\n]/g, ""));
}
