import { readCsv } from "./csv.ts";
import { DataError } from "./errors.ts";
import { decodeFile, readBytes } from "./texts.ts";

/** A paper, as the course's `papers.csv` has it. What a row is too short for is empty. */
export interface Paper {
  readonly title: string;
  readonly abstract: string;
  readonly text: string;
}

const COLUMNS = ["Title", "Abstract", "PaperText"] as const;

/**
 * Reads a CSV file of papers, as Python's `csv.DictReader` would: the first line names the columns, of which `Title`, `Abstract` and
 * `PaperText` are taken.
 *
 * @param most the papers that are wanted: the rest of the file is not read
 * @throws DataError
 */
export async function readPapers(file: string, most: number): Promise<Paper[]> {
  const { columns, rows } = readCsv(decodeFile(file, await readBytes(file)));
  for (const column of COLUMNS) {
    if (!columns.includes(column)) {
      throw new DataError(file, `there is no column ${column}; expected ${COLUMNS.join(", ")}`, "line 1");
    }
  }
  const papers: Paper[] = [];
  for (const row of rows) {
    if (papers.length === most) break;
    const [title, abstract, text] = COLUMNS.map((column) => row.get(column) ?? "");
    papers.push({ title: title!, abstract: abstract!, text: text! });
  }
  if (papers.length === 0) throw new DataError(file, "there is no paper in it");
  return papers;
}
