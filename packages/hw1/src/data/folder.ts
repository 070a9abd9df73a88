import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CourseData, CoursePart, StringSet } from "./course-data.ts";
import { DataError } from "./errors.ts";
import { type Paper, readPapers } from "./papers.ts";
import { type LabelledTexts, readTexts, TEXT_FORMATS } from "./texts.ts";

const PROMPTS = 5;
/** The number of texts cut from papers, where there is no file of them. */
const STRINGS = 100;
/** Characters (code points) of a prompt, and of a text cut from a paper. */
const LENGTH = 100;

const PAPERS_FILE = "papers.csv";
const PAPERS_TITLE = "Machine-learning papers";

const NO_TEXTS: LabelledTexts = { texts: [], labels: undefined };

/**
 * Reads the course's data from a folder, by the course's own names:
 *
 * - `random`, `shakespeare` and `neurips`: the three sets of texts
 * - `snippets`: the texts to be labelled
 * - `papers.csv`: papers, of which the first five abstracts' first 100 characters are the prompts
 *
 * each but the last as `.pkl`, `.json`, `.jsonl` or `.txt`. All of the texts of a file are taken, as they are. Without a
 * `neurips`, its texts are the first 100 characters of the texts of the first 100 papers.
 *
 * @param parts what is wanted: files for the others need not be there, and are not read; those parts are empty
 * @throws DataError for a folder or file that is missing or not as it should be
 */
export async function readFolder(folder: string, parts: readonly CoursePart[]): Promise<CourseData> {
  const files = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    const message =
      cause.code === "ENOENT" ? "there is no such folder" : `not a folder that can be read (${cause.code})`;
    throw new DataError(folder, message, undefined, { cause });
  });
  const [sets, prompts, mixed] = (["sets", "prompts", "mixed"] as const).map((part) => parts.includes(part));
  const find = (name: string, wanted: boolean | undefined): string | undefined => {
    if (!wanted) return undefined;
    return findTexts(folder, files, name) ?? missing(folder, `${name}.{pkl,json,jsonl,txt}`);
  };
  const paths = {
    random: find("random", sets),
    shakespeare: find("shakespeare", sets),
    mixed: find("snippets", mixed),
  };
  const neurips = sets ? findTexts(folder, files, "neurips") : undefined;
  const cut = sets && neurips === undefined; // from papers
  if ((prompts || cut) && !files.includes(PAPERS_FILE)) missing(folder, PAPERS_FILE);
  const papersPath = join(folder, PAPERS_FILE);
  const papers = prompts || cut ? await readPapers(papersPath, cut ? STRINGS : PROMPTS) : [];
  const { texts, labels } = paths.mixed === undefined ? NO_TEXTS : await readTexts(paths.mixed);
  return {
    random: await readSet(paths.random, "random", "Random letters"),
    shakespeare: await readSet(paths.shakespeare, "shakespeare", "Shakespeare"),
    papers: cut
      ? { name: "neurips", title: PAPERS_TITLE, texts: papers.map(({ text }) => beginning(text)) }
      : await readSet(neurips, "neurips", PAPERS_TITLE),
    prompts: prompts ? papers.slice(0, PROMPTS).map((paper) => promptOf(papersPath, paper)) : [],
    mixed: { texts, labels },
  };
}

async function readSet(file: string | undefined, name: string, title: string): Promise<StringSet> {
  const { texts } = file === undefined ? NO_TEXTS : await readTexts(file);
  return { name, title, texts };
}

function promptOf(file: string, { title, abstract }: Paper): string {
  if (abstract === "") throw new DataError(file, "its abstract is empty", `paper ${JSON.stringify(title)}`);
  return beginning(abstract);
}

function beginning(text: string): string {
  return Array.from(text).slice(0, LENGTH).join("");
}

/** The one file of that name and a format that is read, if there is one. */
function findTexts(folder: string, files: readonly string[], name: string): string | undefined {
  const found = TEXT_FORMATS.map((format) => name + format).filter((file) => files.includes(file));
  if (found.length > 1) throw new DataError(folder, `there are ${found.join(" and ")}: expected one of them`);
  return found[0] && join(folder, found[0]);
}

function missing(folder: string, file: string): never {
  throw new DataError(
    folder,
    `there is no ${file}; expected random, shakespeare, neurips and snippets as .pkl, .json, .jsonl or .txt, and papers.csv`,
  );
}
