import { PickleError } from "./errors.ts";
import { opcodeName } from "./opcodes.ts";

/** The largest integers: larger ones take long to convert, and no text needs them. The digits are CPython's limit. */
const MAX_DIGITS = 4300;
const MAX_LONG_BYTES = 2048;

/** The bytes of a pickle, read from front to back. No length in it is trusted before it is checked. */
export class PickleInput {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #instruction = 0;
  #isExhausted = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The first byte that is not read yet. */
  get position(): number {
    return this.#at;
  }

  /** Whether more bytes were asked for than there are: then the error may only mean that these are the first of more. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** The code of the next instruction; its arguments follow. */
  next(): number {
    this.#instruction = this.#at;
    const code = this.#bytes[this.#at];
    if (code === undefined) {
      this.#isExhausted = true;
      throw new PickleError(undefined, this.#at, "the pickle ends without STOP");
    }
    this.#at++;
    return code;
  }

  /** Throws a {@link PickleError} about the current instruction. */
  fail(message: string): never {
    const code = this.#bytes[this.#instruction]!;
    throw new PickleError(opcodeName(code) ?? `0x${code.toString(16).padStart(2, "0")}`, this.#instruction, message);
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(size: 1 | 2 | 4 | 8): number {
    const at = this.#advance(size);
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at, true);
    if (size === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true)); // a length too large to be exact is larger than the file: see #advance
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false); // the only big-endian number
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Bytes as text. */
  utf8(bytes: Uint8Array): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.fail("a string that is not UTF-8");
    }
  }

  /** The bytes up to the next line break, which is skipped. */
  line(): Uint8Array {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) {
      this.#isExhausted = true;
      this.fail("the pickle ends within a line");
    }
    const line = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return line;
  }

  /** A line of ASCII, or of Latin-1. */
  asciiLine(): string {
    return Buffer.from(this.line()).toString("latin1");
  }

  /** A decimal integer on a line of its own. */
  decimalLine(): number | bigint {
    return this.decimal(this.asciiLine());
  }

  /** A decimal integer, with or without Python 2's trailing L. */
  decimal(text: string): number | bigint {
    const line = text.replace(/L$/, "");
    if (!/^[+-]?\d+$/.test(line)) this.fail(`not an integer: ${JSON.stringify(line.slice(0, 20))}`);
    if (line.length > MAX_DIGITS) this.fail(`an integer of more than ${MAX_DIGITS} digits`);
    return smallest(BigInt(line.replace("+", "")));
  }

  /** A two's complement integer of so many bytes, the lowest first. */
  long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES) this.fail(`an integer of ${length} bytes; read are up to ${MAX_LONG_BYTES}`);
    const bytes = this.bytes(length);
    if (length === 0) return 0;
    const value = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
    return smallest(BigInt.asIntN(8 * length, value));
  }

  #advance(length: number): number {
    if (length > this.left) {
      this.#isExhausted = true;
      this.fail(`it needs ${length} bytes, and ${this.left} are left`);
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

function smallest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
