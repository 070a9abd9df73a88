/** Texts of one kind. */
export interface StringSet {
  /** Files are named after it: `random`, `shakespeare`, `papers`. */
  readonly name: string;
  /** What figures and the report call it. */
  readonly title: string;
  readonly texts: readonly string[];
}

/** Parts of {@link CourseData}: the three sets, the prompts, the mixed texts. */
export type CoursePart = "sets" | "prompts" | "mixed";

export const COURSE_PARTS: readonly CoursePart[] = ["sets", "prompts", "mixed"];

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
