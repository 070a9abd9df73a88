import { CompressedFormatError } from "../errors.ts";

/** What a compressed file says of itself, before the code. */
export interface Header {
  /** Bytes of the content. */
  readonly bytes: number;
  /** Tokens that the content was coded as. */
  readonly tokens: number;
  /** Bytes of the code, which is the rest of the file. */
  readonly codeBytes: number;
  /** Begins with the digest of what the model computes, {@link DIGEST_BYTES} bytes. */
  readonly model: Uint8Array;
  /** Of the content. */
  readonly content: Uint8Array;
}

/** Of a SHA-256: enough to tell files apart, and too few to be worth more than a word of prose. */
export const DIGEST_BYTES = 8;

/** "gpt2z" and the version of the format. */
const MAGIC = Uint8Array.of(0x67, 0x70, 0x74, 0x32, 0x7a, 1);

export function writeHeader({ bytes, tokens, codeBytes, model, content }: Header): Uint8Array {
  return Uint8Array.from([...MAGIC, ...model, ...content, ...varint(bytes), ...varint(tokens), ...varint(codeBytes)]);
}

/** @throws CompressedFormatError unless the file is as long as it says */
export function readHeader(file: Uint8Array): { readonly header: Header; readonly code: Uint8Array } {
  const name = MAGIC.length - 1;
  if (file.length < name || MAGIC.subarray(0, name).some((byte, i) => file[i] !== byte)) {
    throw new CompressedFormatError('not a file that gpt2 compress has written: it does not begin with "gpt2z"');
  }
  if (file.length > name && file[name] !== MAGIC[name]) {
    throw new CompressedFormatError(`version ${file[name]} of the format: this program reads version ${MAGIC[name]}`);
  }
  const reader = new Reader(file, MAGIC.length);
  const model = reader.take(DIGEST_BYTES);
  const content = reader.take(DIGEST_BYTES);
  const bytes = reader.varint();
  const tokens = reader.varint();
  const codeBytes = reader.varint();
  const code = file.subarray(reader.at);
  if (code.length < codeBytes) throw cut(file.length, reader.at + codeBytes);
  if (code.length > codeBytes) {
    const expected = reader.at + codeBytes;
    throw new CompressedFormatError(`something was appended: it has ${file.length} bytes and should have ${expected}`);
  }
  // Each token is a byte at least, and none is certain: the lengths are checked before anything is made of them.
  if (tokens > bytes || (tokens === 0) !== (bytes === 0)) {
    throw new CompressedFormatError(`damaged: ${tokens} tokens cannot be ${bytes} bytes`);
  }
  return { header: { bytes, tokens, codeBytes, model, content }, code };
}

const cut = (length: number, expected: number | string): CompressedFormatError =>
  new CompressedFormatError(`cut off: it has ${length} bytes and should have ${expected}`);

/** Reads the parts of a header, which may end too early. */
class Reader {
  readonly #file: Uint8Array;
  at: number;

  constructor(file: Uint8Array, at: number) {
    this.#file = file;
    this.at = at;
  }

  take(count: number): Uint8Array {
    const end = this.at + count;
    if (end > this.#file.length) throw cut(this.#file.length, "more");
    const taken = this.#file.slice(this.at, end);
    this.at = end;
    return taken;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.take(1)[0]!;
      value += (byte & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new CompressedFormatError("damaged: a length in it is impossible");
      if (byte < 128) return value;
    }
  }
}

/** 7 bits a byte, the lowest first; the highest bit says that more follow (LEB128). */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
