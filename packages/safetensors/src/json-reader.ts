import { quote } from "./errors.ts";

/** Nesting allowed by serde_json, which the official parser uses: 127 open arrays and objects, not 128. */
const MAX_DEPTH = 127;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

export type JsonKind = "null" | "boolean" | "number" | "string" | "array" | "object";

/** The text is not JSON, or uses twice a key whose value is read. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  /** The key that appears twice, if that is what is wrong. */
  readonly duplicate: string | undefined;

  constructor(message: string, duplicate?: string) {
    super(message);
    this.duplicate = duplicate;
  }
}

/**
 * Reads JSON value by value, as strictly as serde_json does. The caller asks for what it expects, so nothing is built from other input: memory stays
 * proportional to the wanted values, and the stack to `MAX_DEPTH`.
 */
export class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The kind of the next value, judged by its first character. */
  peek(): JsonKind {
    this.#skipSpace();
    const first = this.#text[this.#at];
    switch (first) {
      case "{":
        return "object";
      case "[":
        return "array";
      case '"':
        return "string";
      case "n":
        return "null";
      case "t":
      case "f":
        return "boolean";
      default:
        if (first === "-" || (first !== undefined && first >= "0" && first <= "9")) return "number";
        throw this.#error("a value");
    }
  }

  /**
   * Reads an object: `onEntry` is called after each key and must read or skip the key's value.
   *
   * @param wasRead whether this key's value was read before, which is an error: `JSON.parse` would hide it
   */
  object(onEntry: (key: string) => void, wasRead: (key: string) => boolean): void {
    this.#sequence("{", "}", () => {
      this.#skipSpace();
      const key = this.string();
      if (wasRead(key)) throw new JsonError(`the key ${quote(key)} appears twice`, key);
      this.#skipSpace();
      this.#expect(":");
      onEntry(key);
    });
  }

  /** Reads an array: `onItem` is called before each item and must read or skip it. */
  array(onItem: () => void): void {
    this.#sequence("[", "]", onItem);
  }

  string(): string {
    const begin = this.#at;
    const escaped = this.#scanString();
    if (!escaped) return this.#text.slice(begin + 1, this.#at - 1);
    const value = unescaped(this.#text.slice(begin, this.#at));
    // The text came from valid UTF-8, so only an escape can have made half a surrogate pair.
    if (value === undefined || /\p{Surrogate}/u.test(value)) throw invalidString(begin);
    return value;
  }

  /** Moves behind the string that begins here. Returns whether it has escapes, which are not looked at. */
  #scanString(): boolean {
    const text = this.#text;
    const begin = this.#at;
    this.#expect('"');
    let escaped = false;
    let at = begin + 1;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code < FIRST_PRINTABLE) throw invalidString(begin);
      if (code === BACKSLASH) {
        escaped = true;
        at++;
      }
    }
    this.#at = at;
    this.#expect('"', "a closing quote");
    return escaped;
  }

  /** The number as it is written: `1.0` and `1` may not mean the same to the caller. */
  number(): string {
    this.#skipSpace();
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(this.#text)) throw this.#error("a number");
    const literal = this.#text.slice(this.#at, NUMBER.lastIndex);
    if (!Number.isFinite(Number(literal))) throw new JsonError(`the number at character ${this.#at} is out of range`);
    this.#at = NUMBER.lastIndex;
    return literal;
  }

  /** A number that is written in digits alone and that a double holds exactly; undefined, and nothing read, for any other. */
  wholeNumber(): number | undefined {
    this.#skipSpace();
    const text = this.#text;
    let at = this.#at;
    let value = 0;
    for (; isDigit(text.charCodeAt(at)) && value <= Number.MAX_SAFE_INTEGER; at++) {
      value = 10 * value + text.charCodeAt(at) - ZERO;
    }
    const digits = at - this.#at;
    if (digits === 0 || value > Number.MAX_SAFE_INTEGER) return undefined;
    if (text.charCodeAt(this.#at) === ZERO && digits > 1) return undefined;
    if (continuesNumber(text[at])) return undefined;
    this.#at = at;
    return value;
  }

  null(): void {
    this.#word("null");
  }

  /** Checks the next value and drops it. */
  skip(): void {
    switch (this.peek()) {
      case "object":
        this.object(
          () => this.skip(),
          () => false,
        );
        break;
      case "array":
        this.array(() => this.skip());
        break;
      case "string":
        this.string();
        break;
      case "number":
        this.number();
        break;
      case "null":
        this.null();
        break;
      case "boolean":
        this.#word(this.#text[this.#at] === "t" ? "true" : "false");
        break;
    }
  }

  /** Checks that nothing but white space is left. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error("the end");
  }

  #sequence(open: string, close: string, onItem: () => void): void {
    this.#skipSpace();
    this.#expect(open);
    if (++this.#depth > MAX_DEPTH) throw new JsonError(`nested deeper than ${MAX_DEPTH} levels`);
    this.#skipSpace();
    if (this.#text[this.#at] !== close) {
      for (;;) {
        onItem();
        this.#skipSpace();
        if (this.#text[this.#at] !== ",") break;
        this.#at++;
      }
    }
    this.#expect(close);
    this.#depth--;
  }

  #word(word: string): void {
    this.#skipSpace();
    if (!this.#text.startsWith(word, this.#at)) throw this.#error(word);
    this.#at += word.length;
  }

  #expect(character: string, called?: string): void {
    if (this.#text[this.#at] !== character) throw this.#error(called ?? quote(character));
    this.#at++;
  }

  /** NaN at the end. */
  #code(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#code();
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #error(expected: string): JsonError {
    const found = this.#at < this.#text.length ? quote(this.#text[this.#at] ?? "") : "the end";
    return new JsonError(`expected ${expected} at character ${this.#at}, found ${found}`);
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function continuesNumber(character: string | undefined): boolean {
  return character === "." || character === "e" || character === "E";
}

/** What the literal, including its quotes, stands for; undefined if it is invalid. */
function unescaped(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}

function invalidString(begin: number): JsonError {
  return new JsonError(`the string at character ${begin} has a control character or an invalid escape`);
}
