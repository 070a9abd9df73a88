import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { createGunzip, gzip } from "node:zlib";
import { checkZstd, unzstd, zstd } from "./zstd.ts";

/** How a file's bytes are compressed. */
export type Compression = "gzip" | "zstd";

/** What a compressed file begins with. UTF-8 text, and so JSON, does not. */
const BEGINNINGS: Readonly<Record<Compression, readonly number[]>> = {
  gzip: [0x1f, 0x8b],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
};

/** What a file of this name is to be: `.gz` and `.zst` are compressed. Throws an Error if this Node cannot. */
export function compressionFor(path: string): Compression | undefined {
  if (/\.gz$/i.test(path)) return "gzip";
  if (!/\.zst$/i.test(path)) return undefined;
  checkZstd();
  return "zstd";
}

/** A whole member of a gzip file or frame of a zstd file: such a file may have any number of them. */
export async function compressed(data: Uint8Array, compression: Compression): Promise<Uint8Array> {
  return compression === "gzip" ? promisify(gzip)(data) : zstd(data);
}

/**
 * Bytes as they are, or decompressed if they begin as gzip or zstd do.
 *
 * @throws Error for what is cut off or damaged, and for zstd if this Node has none
 */
export async function* decompressed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let start: Uint8Array = new Uint8Array(0);
  let compression: Compression | "unknown" | undefined = "unknown";
  while (compression === "unknown") {
    const { done, value } = await iterator.next();
    if (done) break;
    start = start.length === 0 ? value : Buffer.concat([start, value]);
    compression = compressionOf(start);
  }
  const all = joined(start, iterator);
  if (compression === "unknown" || compression === undefined) return yield* all;
  if (compression === "zstd") return yield* unzstd(all);
  const decoder = createGunzip();
  pipeline(Readable.from(all), decoder, () => {}); // an error is thrown by the decoder too
  yield* decoder as AsyncIterable<Uint8Array>;
}

/** "unknown" as long as there are too few bytes to tell. */
function compressionOf(start: Uint8Array): Compression | "unknown" | undefined {
  for (const [name, beginning] of Object.entries(BEGINNINGS)) {
    const compared = beginning.slice(0, start.length);
    if (compared.every((byte, i) => start[i] === byte)) {
      return compared.length === beginning.length ? (name as Compression) : "unknown";
    }
  }
  return undefined;
}

async function* joined(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  if (start.length > 0) yield start;
  for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
}
