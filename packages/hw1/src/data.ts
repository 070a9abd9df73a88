import { OptionError } from "@gpt2-ts/gpt2";
import { COURSE_PARTS, type CourseData, type CoursePart } from "./data/course-data.ts";
import { readFolder } from "./data/folder.ts";
import { defaultCourseData } from "./default-sets.ts";

/**
 * The course's files in a folder, or without one texts that come with the package, drawn with the seed.
 *
 * @param parts what is wanted of a folder: the others are empty then, and their files need not be there. Default: all
 * @throws OptionError for an unknown part; DataError for a folder or file that is missing or not as it should be
 */
export async function loadCourseData(
  folder: string | undefined,
  seed: number,
  parts: readonly CoursePart[] = COURSE_PARTS,
): Promise<CourseData> {
  const unknown = parts.find((part) => !COURSE_PARTS.includes(part));
  if (unknown !== undefined)
    throw new OptionError("parts", `expected ${COURSE_PARTS.join(", ")}, got ${String(unknown)}`);
  return folder === undefined ? defaultCourseData(seed) : readFolder(folder, parts);
}
