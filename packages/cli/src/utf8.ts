import { constants, isUtf8 } from "node:buffer";

/** The most characters (UTF-16 units) that a string holds. */
export const LONGEST_TEXT = constants.MAX_STRING_LENGTH;
/** Bytes that are decoded at once. */
const PIECE = 2 ** 24;

/** UTF-8 as text, exactly: nothing is replaced, and a byte order mark is kept. For bytes that come in pieces, cut anywhere. */
export class Utf8Decoder {
  readonly #what: string;
  /** The beginning of a character whose other bytes are still to come, and where it stands in the input. */
  #tail: Uint8Array = new Uint8Array(0);
  #offset = 0;

  /** @param what the input, for messages */
  constructor(what: string) {
    this.#what = what;
  }

  /** The characters that are complete with these bytes. Throws an Error that says which byte is wrong. */
  push(chunk: Uint8Array): string {
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const whole = bytes.length - incompleteTailLength(bytes);
    const characters = bytes.subarray(0, whole);
    if (!isUtf8(characters)) throw this.#malformed(firstInvalidByte(characters));
    this.#tail = bytes.subarray(whole);
    this.#offset += whole;
    return Buffer.from(characters.buffer, characters.byteOffset, whole).toString();
  }

  /** Throws an Error if the input ends within a character. */
  end(): void {
    if (this.#tail.length > 0) throw this.#malformed(0);
  }

  #malformed(at: number): Error {
    return new Error(`${this.#what} is not UTF-8 text (at byte ${this.#offset + at})`);
  }
}

/**
 * UTF-8 as text, exactly. Throws an Error that says which byte is wrong, or that the text is longer than a string can be.
 *
 * @param what the input, for messages
 * @param longest the most characters
 */
export function decodeStrictly(bytes: Uint8Array, what: string, longest = LONGEST_TEXT): string {
  const decoder = new Utf8Decoder(what);
  const text = new BoundedText(what, longest);
  for (let start = 0; start < bytes.length; start += PIECE) {
    text.append(decoder.push(bytes.subarray(start, start + PIECE)));
  }
  decoder.end();
  return text.toString();
}

/** A text that grows piece by piece. Throws an Error when it becomes longer than a string can be. */
export class BoundedText {
  readonly #what: string;
  readonly #longest: number;
  #text = "";

  /** @param longest the most characters */
  constructor(what: string, longest = LONGEST_TEXT) {
    this.#what = what;
    this.#longest = longest;
  }

  append(piece: string): void {
    if (this.#text.length + piece.length > this.#longest) {
      throw new Error(`${this.#what} is too long: a text has at most ${this.#longest} characters`);
    }
    this.#text += piece;
  }

  toString(): string {
    return this.#text;
  }
}

/** How many bytes at the end begin a character of more bytes: 0 to 3. */
function incompleteTailLength(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length]!;
    if (byte >= 0xc0) return length < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? length : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** Where the first malformed character begins. By bisection: a prefix is sound if it can be decoded as a stream. */
function firstInvalidByte(bytes: Uint8Array): number {
  let sound = 0;
  let broken = bytes.length + 1; // unless only the end of the last character is missing
  while (broken - sound > 1) {
    const middle = (sound + broken) >> 1;
    if (isSoundBeginning(bytes.subarray(0, middle))) sound = middle;
    else broken = middle;
  }
  // Of a sound prefix, only whole characters are decoded.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return Buffer.byteLength(decoder.decode(bytes.subarray(0, sound), { stream: true }));
}

function isSoundBeginning(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
