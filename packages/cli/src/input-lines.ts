/** The most bytes of a line: what is longer is no sentence, and would fill the memory without end. */
export const LONGEST_LINE = 2 ** 28;

const NEWLINE = 0x0a;

/** A line of input, without its line break. */
export interface InputLine {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined if there are more than can be kept. */
  readonly bytes: Uint8Array | undefined;
}

/** Lines that arrived together; the input's last line need not have a line break. */
export async function* inputLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<InputLine[]> {
  const splitter = new LineSplitter();
  for await (const chunk of chunks) {
    const lines = splitter.push(chunk);
    if (lines.length > 0) yield lines;
  }
  const last = splitter.end();
  if (last) yield [last];
}

/** Splits bytes that come in pieces into lines. */
export class LineSplitter {
  readonly #longest: number;
  #number = 1;
  /** The pieces of the line that has not ended; undefined if it is longer than is kept. */
  #pending: Uint8Array[] | undefined = [];
  #length = 0;

  /** @param longest the most bytes of a line that are kept */
  constructor(longest = LONGEST_LINE) {
    this.#longest = longest;
  }

  /** The lines that end in this piece. */
  push(chunk: Uint8Array): InputLine[] {
    const lines: InputLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  /** The last line, if it has no line break. */
  end(): InputLine | undefined {
    return this.#length > 0 ? this.#take() : undefined;
  }

  #keep(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > this.#longest) this.#pending = undefined;
    else if (piece.length > 0) this.#pending?.push(piece);
  }

  #take(): InputLine {
    const line = { number: this.#number, bytes: this.#pending && Buffer.concat(this.#pending) };
    this.#number++;
    this.#pending = [];
    this.#length = 0;
    return line;
  }
}
