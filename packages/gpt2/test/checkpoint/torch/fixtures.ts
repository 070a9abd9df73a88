import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse, type SafeTensors } from "safetensors-ts";
import type { ModelFiles } from "../../../src/checkpoint/source/index.ts";
import { SHAKESPEARE } from "../../support/models.ts";

/** What make_fixtures.py wrote. */
export const FIXTURES = fileURLToPath(new URL("fixtures/", import.meta.url));

/** What make_fixtures.py computed logits for. */
export const IDS = [5, 17, 20, 39, 7, 7, 0];

export async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(FIXTURES + name));
}

export async function safetensors(name: string): Promise<SafeTensors> {
  return parse(await fixture(name));
}

/** A model's files: config and tokenizer as they are beside checkpoints, and what is given. */
export async function modelFiles(files: Record<string, Uint8Array<ArrayBuffer> | string>): Promise<ModelFiles> {
  const beside = ["vocab.json", "merges.txt"].map(
    async (name) => [name, await readFile(`${SHAKESPEARE}/${name}`)] as const,
  );
  const all = {
    ...Object.fromEntries(await Promise.all(beside)),
    "config.json": await fixture("config.json"),
    ...files,
  };
  return Object.fromEntries(Object.entries(all).map(([name, content]) => [name, new Blob([content])]));
}

/** Whether one of the hostile fixtures was run. */
export function somethingRan(): boolean {
  return existsSync("ran");
}
