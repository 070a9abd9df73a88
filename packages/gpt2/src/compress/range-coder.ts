// Range coding (Martin, "Range encoding", 1979) with the carry kept back as in Pavlov's LZMA, but on 48 bits: numbers hold
// integers up to 2⁵³ exactly, and with so many bits a total of 2²⁸ costs nothing that can be measured.

const TOP = 2 ** 48;
const BYTE = 2 ** 40;
/** Bytes that a decoder has read ahead. */
const LOOKAHEAD = 6;

/** The largest total of a distribution that both coders take. */
export const MAX_TOTAL = 2 ** 28;

/** Turns symbols into bytes: about log₂(total / size) bits each. */
export class RangeEncoder {
  readonly #bytes: number[] = [];
  #low = 0;
  #range = TOP;
  /** The byte that a carry may still change, and how many of 0xFF follow it. */
  #last: number | undefined;
  #pending = 0;

  /** A symbol that has `[start, start + size)` of `[0, total)`, all of them integers. */
  encode(start: number, size: number, total: number): void {
    const unit = Math.floor(this.#range / total);
    this.#low += unit * start;
    this.#range = unit * size;
    while (this.#range < BYTE) {
      this.#range *= 256;
      this.#shift();
    }
  }

  /** All bytes; what follows them in a file does not matter. */
  finish(): Uint8Array {
    this.#low = Math.ceil(this.#low / BYTE) * BYTE; // still within the range: the shortest number that is
    this.#shift();
    this.#shift();
    return Uint8Array.from(this.#bytes);
  }

  #shift(): void {
    const byte = Math.floor(this.#low / BYTE); // 9 bits: the first is the carry
    if (byte === 0xff) {
      this.#pending++;
    } else {
      const carry = byte >> 8;
      if (this.#last !== undefined) this.#bytes.push((this.#last + carry) & 0xff);
      for (; this.#pending > 0; this.#pending--) this.#bytes.push((0xff + carry) & 0xff);
      this.#last = byte & 0xff;
    }
    this.#low = (this.#low % BYTE) * 256;
  }
}

/** Turns the bytes into the same symbols again. */
export class RangeDecoder {
  readonly #bytes: Uint8Array;
  #at = 0;
  #range = TOP;
  /** What is left of the number that the bytes are, above the range's lower end. */
  #code = 0;
  #unit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    for (let i = 0; i < LOOKAHEAD; i++) this.#code = this.#code * 256 + this.#next();
  }

  /** Whether more was read than there is. */
  get exhausted(): boolean {
    return this.#at > this.#bytes.length + LOOKAHEAD;
  }

  /** Where in `[0, total)` the next symbol lies. To be followed by {@link RangeDecoder.accept} with that symbol. */
  locate(total: number): number {
    this.#unit = Math.floor(this.#range / total);
    return Math.min(Math.floor(this.#code / this.#unit), total - 1);
  }

  accept(start: number, size: number): void {
    this.#code -= this.#unit * start;
    this.#range = this.#unit * size;
    while (this.#range < BYTE) {
      this.#range *= 256;
      this.#code = this.#code * 256 + this.#next();
    }
  }

  #next(): number {
    return this.#bytes[this.#at++] ?? 0;
  }
}
