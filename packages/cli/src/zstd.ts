import { pipeline, Readable } from "node:stream";
import * as zlib from "node:zlib";

const FRAME = 0xfd2fb528;
const SKIPPABLE_FRAME = 0x184d2a50;
/** Bytes of the dictionary's id and of the content's size, by the bits of a frame's descriptor that tell. */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];
/** A block of one byte, again and again. */
const REPEATED = 1;

/** Node's zstd, which came with 22.15 and 23.8; older ones have none. */
interface ZstdOfNode {
  createZstdDecompress?: () => NodeJS.ReadWriteStream;
  zstdCompress?: (data: Uint8Array, options: object, callback: (error: Error | null, result: Buffer) => void) => void;
  constants: { readonly ZSTD_c_checksumFlag?: number };
}
const { createZstdDecompress, zstdCompress, constants } = zlib as unknown as ZstdOfNode;

const tooOld = (): Error => new Error(`zstd needs Node 22.15, 23.8 or later; this is ${process.version}`);

/** A zstd frame with a checksum, without which damage may pass unseen. Throws an Error if this Node has no zstd. */
export async function zstd(data: Uint8Array): Promise<Uint8Array> {
  const compress = zstdCompress;
  if (compress === undefined) throw tooOld();
  const params = { [constants.ZSTD_c_checksumFlag!]: 1 };
  return new Promise((resolve, reject) =>
    compress(data, { params }, (error, result) => (error ? reject(error) : resolve(result))),
  );
}

/** Throws an Error if this Node has no zstd. */
export function checkZstd(): void {
  if (zstdCompress === undefined) throw tooOld();
}

/**
 * What zstd frames contain, one after the other (RFC 8878). Node's own stream takes the end of its input for the end of a frame, and
 * in some versions ends with the first frame; so the frames are told apart here.
 *
 * @throws Error for what is cut off or is no zstd, or if this Node has none
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  if (createZstdDecompress === undefined) throw tooOld();
  const pieces = new Pieces(chunks);
  while (await pieces.more()) {
    const magic = await pieces.take(4);
    const number = magic.readUInt32LE();
    if ((number & ~0xf) >>> 0 === SKIPPABLE_FRAME) {
      for await (const _ of pieces.pass((await pieces.take(4)).readUInt32LE())); // user data, such as pzstd's
      continue;
    }
    if (number !== FRAME) throw new Error("it is not zstd all through: something else follows a frame");
    const decoder = createZstdDecompress();
    pipeline(Readable.from(frame(magic, pieces)), decoder, () => {}); // an error is thrown by the decoder too
    yield* decoder as unknown as AsyncIterable<Uint8Array>;
  }
}

async function* frame(magic: Uint8Array, pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  yield magic;
  const head = await pieces.take(1);
  yield head;
  const descriptor = head[0]!;
  const inOneSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = SIZE_BYTES[descriptor >> 6]! || (inOneSegment ? 1 : 0);
  yield* pieces.pass((inOneSegment ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]! + sizeBytes);
  for (let last = false; !last; ) {
    const header = await pieces.take(3);
    yield header;
    const bits = header.readUIntLE(0, 3);
    last = (bits & 1) === 1;
    yield* pieces.pass(((bits >> 1) & 3) === REPEATED ? 1 : bits >> 3);
  }
  if ((descriptor & 4) !== 0) yield* pieces.pass(4); // the checksum
}

/** Bytes that come in pieces, to be taken in others. */
class Pieces {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether there is anything left. */
  async more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }

  /** So many bytes, in pieces. Throws an Error if there are fewer. */
  async *pass(count: number): AsyncGenerator<Uint8Array, void> {
    for (let left = count; left > 0; ) {
      if (!(await this.more())) throw new Error("it is cut off");
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** So many bytes, few. */
  async take(count: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.pass(count)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}
