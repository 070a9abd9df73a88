import { DEEPEST } from "../json-nesting.ts";

const blanks = /[ \t\n\r]*/y;
/** A string, a number or a word, from where the reader stands. Whether a string is well-formed is left to `JSON.parse`. */
const scalar = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|-?[A-Za-z]+/y;
const words = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

/**
 * Parses JSON as Python's `json` module writes it: with `NaN`, `Infinity` and `-Infinity`.
 *
 * @throws SyntaxError with line and column, the same on every engine
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text); // nearly always
  } catch {
    return new Reader(text).document();
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value(0);
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail("expected the end");
    return value;
  }

  #value(depth: number): unknown {
    if (depth > DEEPEST) this.#fail(`nested deeper than ${DEEPEST} levels`);
    this.#skipBlanks();
    if (this.#take("[")) return [...this.#items("]", () => this.#value(depth + 1))];
    if (this.#take("{")) return Object.fromEntries(this.#items("}", () => this.#entry(depth + 1)));
    const start = this.#at;
    scalar.lastIndex = start;
    const literal = scalar.exec(this.#text)?.[0];
    if (literal === undefined) return this.#fail("expected a value");
    if (words.has(literal)) {
      this.#at = scalar.lastIndex;
      return words.get(literal);
    }
    try {
      const value: unknown = JSON.parse(literal);
      this.#at = start + literal.length;
      return value;
    } catch {
      return this.#fail("expected a value");
    }
  }

  #entry(depth: number): [string, unknown] {
    this.#skipBlanks();
    if (this.#text[this.#at] !== '"') this.#fail("expected a key in quotes");
    const key = this.#value(depth) as string;
    this.#skipBlanks();
    if (!this.#take(":")) this.#fail('expected ":"');
    return [key, this.#value(depth)];
  }

  /** What stands between commas, up to `end`. */
  *#items<Item>(end: string, item: () => Item): Generator<Item> {
    this.#skipBlanks();
    if (this.#take(end)) return;
    while (true) {
      yield item();
      this.#skipBlanks();
      if (this.#take(end)) return;
      if (!this.#take(",")) this.#fail(`expected "," or "${end}"`);
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    blanks.lastIndex = this.#at;
    blanks.exec(this.#text);
    this.#at = blanks.lastIndex;
  }

  #fail(expected: string): never {
    const before = this.#text.slice(0, this.#at).split("\n");
    throw new SyntaxError(`line ${before.length}, column ${before.at(-1)!.length + 1}: ${expected}`);
  }
}
