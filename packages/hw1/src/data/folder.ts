import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CourseData, StringSet } from "../data.ts";
import { DataError } from "./errors.ts";
import { readPapers } from "./papers.ts";
import { readTexts, TEXT_FORMATS } from "./texts.ts";

/** Texts to continue, and the characters of each. */
const PROMPTS = 5;
const PROMPT_LENGTH = 100;

const PAPERS_FILE = "papers.csv";

/**
 * Reads the course's data from a folder, by the course's own names:
 *
 * - `random`, `shakespeare` and `neurips`: the three sets of texts
 * - `snippets`: the texts to be labelled
 * - `papers.csv`: papers, of which the first five abstracts' first 100 characters are the prompts
 *
 * each but the last as `.pkl`, `.json`, `.jsonl` or `.txt`. All of the texts of a file are taken, as they are.
 *
 * @throws DataError for a folder or file that is missing or not as it should be
 */
export async function readFolder(folder: string): Promise<CourseData> {
  const files = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    const message =
      cause.code === "ENOENT" ? "there is no such folder" : `not a folder that can be read (${cause.code})`;
    throw new DataError(folder, message, undefined, { cause });
  });
  const paths = {
    random: findTexts(folder, files, "random"),
    shakespeare: findTexts(folder, files, "shakespeare"),
    papers: findTexts(folder, files, "neurips"),
    mixed: findTexts(folder, files, "snippets"),
  };
  if (!files.includes(PAPERS_FILE)) throw missing(folder, PAPERS_FILE);
  const papers = await readPapers(join(folder, PAPERS_FILE), PROMPTS);
  const { texts, labels } = await readTexts(paths.mixed);
  return {
    random: await readSet(paths.random, "random", "Random letters"),
    shakespeare: await readSet(paths.shakespeare, "shakespeare", "Shakespeare"),
    papers: await readSet(paths.papers, "neurips", "Machine-learning papers"),
    prompts: papers.map(({ abstract }) => Array.from(abstract).slice(0, PROMPT_LENGTH).join("")),
    mixed: { texts, labels },
  };
}

async function readSet(file: string, name: string, title: string): Promise<StringSet> {
  const { texts } = await readTexts(file);
  return { name, title, texts };
}

/** The one file of that name and a format that is read. */
function findTexts(folder: string, files: readonly string[], name: string): string {
  const found = TEXT_FORMATS.map((format) => name + format).filter((file) => files.includes(file));
  if (found.length > 1) throw new DataError(folder, `there are ${found.join(" and ")}: expected one of them`);
  if (found[0] === undefined)
    throw missing(folder, `${name}.{${TEXT_FORMATS.map((format) => format.slice(1)).join(",")}}`);
  return join(folder, found[0]);
}

function missing(folder: string, file: string): DataError {
  return new DataError(
    folder,
    `there is no ${file}; expected random, shakespeare, neurips and snippets as .pkl, .json, .jsonl or .txt, and papers.csv`,
  );
}
