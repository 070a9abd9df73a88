import { readFolder } from "./data/folder.ts";
import { defaultCourseData } from "./default-sets.ts";

/** Texts of one kind. */
export interface StringSet {
  /** Files are named after it: `random`, `shakespeare`, `papers`. */
  readonly name: string;
  /** What figures and the report call it. */
  readonly title: string;
  readonly texts: readonly string[];
}

/** What the programming tasks work on. */
export interface CourseData {
  /** Random letters. */
  readonly random: StringSet;
  readonly shakespeare: StringSet;
  /** Machine-learning papers, or what stands in for them. */
  readonly papers: StringSet;
  /** Beginnings of five texts, to be continued. */
  readonly prompts: readonly string[];
  /** Random and real texts mixed; `labels` says which are random, where that is known. */
  readonly mixed: { readonly texts: readonly string[]; readonly labels?: readonly boolean[] | undefined };
}

/**
 * The course's files in a folder, or without one texts that come with the package, drawn with the seed.
 *
 * @throws DataError for a folder or file that is missing or not as it should be
 */
export async function loadCourseData(folder: string | undefined, seed: number): Promise<CourseData> {
  return folder === undefined ? defaultCourseData(seed) : readFolder(folder);
}
