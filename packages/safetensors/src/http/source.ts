import type { ByteSource } from "../byte-source.ts";
import { SafetensorsError } from "../errors.ts";
import { displayUrl } from "../transport/display.ts";
import { Retries, retrying } from "../transport/retries.ts";
import type { Answer } from "../transport/send.ts";
import type { HttpOptions } from "./options.ts";
import { checkRange, type PieceReader, rangeReader, requestRange } from "./range.ts";
import { type PlannedReads, ReadAhead } from "./read-ahead.ts";
import { get, wholeBody } from "./request.ts";

/** The first request: it brings the file's size, and for most files the whole header. */
const FIRST_REQUEST_BYTES = 64 * 2 ** 10;

/**
 * A file at a URL, read with HTTP range requests (RFC 9110, section 14): one for each read, or as reads are planned. Every
 * answer is checked against what was asked for, and against the file seen first: a file that changes is an error, not a mixture.
 *
 * @throws SafetensorsError `http-status`, `range-unsupported`, `invalid-response`, `read-failed`, `truncated`
 */
export async function httpSource(url: URL, options: HttpOptions): Promise<ByteSource> {
  const file = displayUrl(url);
  // Closing the source ends what is under way.
  const closing = new AbortController();
  const { signal } = options;
  const abort = (): void => closing.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  const own = { ...options, signal: closing.signal };
  const close = async (): Promise<void> => {
    signal?.removeEventListener("abort", abort);
    closing.abort(new SafetensorsError("closed", "it is already closed", { file }));
  };
  try {
    const first = await retrying(own, () => requestRange(url, 0, FIRST_REQUEST_BYTES, own));
    const { size, version } = first;
    const request = async (position: number, length: number): Promise<Answer> => {
      const range = await requestRange(url, position, length, own);
      if (range.size !== size || range.version !== version) {
        range.answer.close();
        throw new SafetensorsError("source-changed", "the file changed while it was being read", { file });
      }
      checkRange(range, position, length, url);
      return range.answer;
    };
    const open = (position: number, length: number, answer?: Answer): PieceReader =>
      rangeReader(url, position, length, request, new Retries(own), answer);
    const prefix = new Uint8Array(Math.min(FIRST_REQUEST_BYTES, size));
    if (size > 0) checkRange(first, 0, prefix.byteLength, url);
    const body = open(0, prefix.byteLength, first.answer);
    for (let done = 0; done < prefix.byteLength; ) done += await body.some(prefix.subarray(done));
    body.close();
    return source({ file, size, prefix, open, signal: closing.signal, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenFile {
  readonly file: string;
  readonly size: number;
  /** The file's beginning. */
  readonly prefix: Uint8Array;
  readonly open: (position: number, length: number) => PieceReader;
  readonly signal: AbortSignal;
  readonly close: () => Promise<void>;
}

function source({ file, size, prefix, open, signal, close }: OpenFile): ByteSource {
  let planned: PlannedReads | undefined;
  return {
    name: file,
    size,
    plan(ranges, ahead = new ReadAhead()) {
      planned?.cancel();
      const beyond = ranges.map((range) => ({ ...range, begin: Math.max(range.begin, prefix.byteLength) }));
      planned = ahead.plan({ open, signal }, beyond);
    },
    reader(position, length) {
      let left = length;
      let direct: PieceReader | undefined;
      const some = async (target: Uint8Array): Promise<number> => {
        const known = prefix.subarray(position, position + target.byteLength);
        target.set(known);
        if (known.byteLength > 0) return known.byteLength;
        const ready = direct === undefined ? await planned?.read(position, target) : undefined;
        if (ready) return ready;
        direct ??= open(position, left);
        return direct.some(target);
      };
      return {
        async fill(target) {
          for (let done = 0; done < target.byteLength; ) {
            const count = await some(target.subarray(done));
            done += count;
            position += count;
            left -= count;
          }
        },
        close: async () => direct?.close(),
      };
    },
    close,
  };
}

/**
 * Downloads a whole small file.
 *
 * @throws SafetensorsError `http-status`, `read-failed`, `truncated`, `too-large` if it is longer than `limit` bytes
 */
export async function download(url: URL, limit: number, options: HttpOptions) {
  return retrying(options, async () => {
    const answer = await get(url, {}, options);
    return { file: displayUrl(url), bytes: await wholeBody(answer, limit, url) };
  });
}
