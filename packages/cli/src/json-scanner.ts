/** The most arrays and objects inside each other that are read. */
const MAX_NESTING = 1000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
/** `]` and `}` come two after `[` and `{`. */
const CLOSER_OFFSET = 2;
const CLOSE_OBJECT = OPEN_OBJECT + CLOSER_OFFSET;
const LETTER_U = 0x75;

const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const FOUR_HEX_DIGITS = /[0-9a-fA-F]{4}/y;

/** A member of an object, as places in the text. */
export interface Member {
  /** What the key means: escapes are resolved. */
  readonly key: string;
  /** Where the key begins, with its quotation mark. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
  /** How many items the value has, if it is an array. */
  readonly items: number | undefined;
}

/**
 * Reads JSON (RFC 8259) without making values of it, so that a text can be taken apart and its parts kept as they are written:
 * numbers of any size, keys that occur twice, escapes. Accepts what `JSON.parse` accepts, but for a limit to the depth. Needs
 * no stack, and time in proportion to the text.
 */
export class JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * The members of the object that the whole text is; undefined if it is another kind of value.
   * @throws Error if the text is not JSON; what was given before is sound until then
   */
  *members(): Generator<Member, boolean> {
    this.#blanks();
    if (this.#code() !== OPEN_OBJECT) {
      this.#value();
      this.#end();
      return false;
    }
    this.#at++;
    this.#blanks();
    if (this.#code() === CLOSE_OBJECT) this.#at++;
    else {
      do {
        this.#blanks();
        const start = this.#at;
        const key = this.#key();
        this.#blanks();
        const valueStart = this.#at;
        const items = this.#value();
        yield { key, start, valueStart, end: this.#at, items };
        this.#blanks();
      } while (this.#continues(CLOSE_OBJECT));
    }
    this.#end();
    return true;
  }

  /** Passes a value. Returns how many items it has, if it is an array. */
  #value(): number | undefined {
    /** What closes the arrays and objects that are open. */
    const closers: number[] = [];
    const isArray = this.#code() === OPEN_ARRAY;
    let items = 0;
    for (;;) {
      this.#blanks();
      const opener = this.#code();
      if (opener === OPEN_ARRAY || opener === OPEN_OBJECT) {
        this.#at++;
        this.#blanks();
        if (this.#code() !== opener + CLOSER_OFFSET) {
          if (closers.length === MAX_NESTING) throw new Error(`it is nested more than ${MAX_NESTING} levels deep`);
          closers.push(opener + CLOSER_OFFSET);
          if (opener === OPEN_OBJECT) this.#key();
          continue;
        }
        this.#at++;
      } else if (opener === QUOTE) this.#string();
      else if (!this.#matches(SCALAR)) throw this.#expected("a value");
      // A value is complete, and with it perhaps what it is in.
      for (;;) {
        const closer = closers.at(-1);
        if (closers.length === 1) items++;
        if (closer === undefined) return isArray ? items : undefined;
        this.#blanks();
        if (this.#continues(closer)) {
          if (closer === CLOSE_OBJECT) this.#key();
          break;
        }
        closers.pop();
      }
    }
  }

  /** Passes a key and the colon behind it. */
  #key(): string {
    this.#blanks();
    const start = this.#at;
    if (this.#code() !== QUOTE) throw this.#expected("a key");
    const escaped = this.#string();
    const key = escaped
      ? (JSON.parse(this.#text.slice(start, this.#at)) as string)
      : this.#text.slice(start + 1, this.#at - 1);
    this.#blanks();
    if (this.#code() !== COLON) throw this.#expected('":"');
    this.#at++;
    return key;
  }

  /** Passes a string. Returns whether it has escapes. */
  #string(): boolean {
    let escaped = false;
    for (this.#at++; ; this.#at++) {
      const code = this.#code();
      if (code === QUOTE) {
        this.#at++;
        return escaped;
      }
      if (Number.isNaN(code)) throw this.#expected("the end of a string");
      if (code < 0x20) throw this.#expected("an escape for a control character");
      if (code === BACKSLASH) {
        escaped = true;
        this.#escape();
      }
    }
  }

  /** Passes an escape but for its last character. */
  #escape(): void {
    this.#at++;
    if (this.#code() === LETTER_U) {
      this.#at++;
      if (!this.#matches(FOUR_HEX_DIGITS)) throw this.#expected("four hexadecimal digits");
      this.#at--;
    } else if (!'"\\/bfnrt'.includes(this.#text[this.#at] ?? "none")) throw this.#expected("an escape");
  }

  /** Passes a comma, and returns true; or what closes the array or object, and returns false. */
  #continues(closer: number): boolean {
    const code = this.#code();
    if (code !== COMMA && code !== closer) throw this.#expected(`"," or "${String.fromCharCode(closer)}"`);
    this.#at++;
    return code === COMMA;
  }

  #blanks(): void {
    for (;;) {
      const code = this.#code();
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #end(): void {
    this.#blanks();
    if (this.#at < this.#text.length) throw this.#expected("the end");
  }

  /** Passes what the sticky pattern matches here. */
  #matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  /** The UTF-16 unit here; NaN at the end. */
  #code(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #expected(what: string): Error {
    return new Error(`it is not JSON: expected ${what} at character ${this.#at + 1}`);
  }
}
