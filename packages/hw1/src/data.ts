import type { CourseData } from "./data/course-data.ts";
import { readFolder } from "./data/folder.ts";
import { defaultCourseData } from "./default-sets.ts";

/**
 * The course's files in a folder, or without one texts that come with the package, drawn with the seed.
 *
 * @throws DataError for a folder or file that is missing or not as it should be
 */
export async function loadCourseData(folder: string | undefined, seed: number): Promise<CourseData> {
  return folder === undefined ? defaultCourseData(seed) : readFolder(folder);
}
