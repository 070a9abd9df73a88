/**
 * CSV as Python's `csv.DictReader` takes it (dialect `excel`, not strict): a quote opens a quoted field only as its first character
 * and is a character like any other elsewhere; what follows the closing quote belongs to the field; a field that is still open at the
 * end of the text ends there. Lines end with `\n`, `\r` or `\r\n`. Fields of any length are taken (Python's limit is 131,072
 * characters).
 */

/** A row by column. Of two columns of one name the last counts; a column that a short row does not reach is undefined. */
export type CsvRow = ReadonlyMap<string, string | undefined>;

/** The columns that the first record names, and the rows after it. Blank lines are skipped, and fields beyond the columns. */
export function readCsv(text: string): { readonly columns: readonly string[]; readonly rows: Iterable<CsvRow> } {
  const records = csvRecords(text);
  const columns: readonly string[] = records.next().value ?? [];
  return { columns, rows: rowsOf(columns, records) };
}

function* rowsOf(columns: readonly string[], records: Iterable<string[]>): Generator<CsvRow> {
  for (const record of records) {
    if (record.length > 0) yield new Map(columns.map((column, i) => [column, record[i]]));
  }
}

/** The records as `csv.reader` gives them: a blank line is one without fields. */
function* csvRecords(text: string): Generator<string[], undefined> {
  const scanner = new Scanner(text);
  while (!scanner.atEnd) yield scanner.record();
}

const FIELD_END = /[,\r\n]/g;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  record(): string[] {
    const fields: string[] = [];
    if (this.#skipLineEnd()) return fields;
    do {
      fields.push(this.#quoted() + this.#bare());
    } while (this.#skip(","));
    this.#skipLineEnd();
    return fields;
  }

  /** A quoted part at the beginning of a field, up to its closing quote. */
  #quoted(): string {
    if (!this.#skip('"')) return "";
    const text = this.#text;
    const from = this.#at;
    let end = text.indexOf('"', from);
    while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
    if (end === -1) end = text.length;
    this.#at = Math.min(end + 1, text.length);
    return text.slice(from, end).replaceAll('""', '"');
  }

  /** What comes before the next comma or line end. */
  #bare(): string {
    const from = this.#at;
    FIELD_END.lastIndex = from;
    this.#at = FIELD_END.exec(this.#text)?.index ?? this.#text.length;
    return this.#text.slice(from, this.#at);
  }

  #skipLineEnd(): boolean {
    const carriageReturn = this.#skip("\r");
    return this.#skip("\n") || carriageReturn;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}
