import { CsvError, parse } from "csv-parse/sync";
import { DataError } from "./errors.ts";
import { decodeFile, readBytes } from "./texts.ts";

/** A paper, as the course's `papers.csv` has it. */
export interface Paper {
  readonly title: string;
  readonly abstract: string;
  readonly text: string;
}

const COLUMNS = ["Title", "Abstract", "PaperText"] as const;

/**
 * Reads a CSV file of papers (RFC 4180; the first line names the columns, of which `Title`, `Abstract` and `PaperText`
 * are taken).
 *
 * @param most the papers that are wanted: the rest of the file is not read
 * @throws DataError
 */
export async function readPapers(file: string, most: number): Promise<Paper[]> {
  const text = decodeFile(file, await readBytes(file));
  const rows = parseCsv(file, text, most);
  if (rows.length === 0) throw new DataError(file, "there is no paper in it");
  for (const column of COLUMNS) {
    if (!Object.hasOwn(rows[0]!, column)) {
      throw new DataError(file, `there is no column ${column}; expected ${COLUMNS.join(", ")}`, "line 1");
    }
  }
  return rows.map((row) => ({ title: row["Title"]!, abstract: row["Abstract"]!, text: row["PaperText"]! }));
}

function parseCsv(file: string, text: string, most: number): Record<string, string>[] {
  try {
    return parse<Record<string, string>>(text, { columns: true, skip_empty_lines: true, to: most });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = "lines" in error ? `line ${error["lines"]}` : undefined;
    throw new DataError(file, error.message, line, { cause: error });
  }
}
