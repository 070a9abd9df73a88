import { SafetensorsError } from "../errors.ts";
import { displayUrl } from "../transport/display.ts";
import { TransportError } from "../transport/failure.ts";
import type { Retries } from "../transport/retries.ts";
import type { Answer } from "../transport/send.ts";
import type { HttpOptions } from "./options.ts";
import { get, nextPiece, wrongStatus } from "./request.ts";

/** An answer to a range request. */
export interface RangeAnswer {
  readonly answer: Answer;
  readonly begin: number;
  readonly end: number;
  /** Of the whole file. */
  readonly size: number;
  /** What changes when the file does, as far as the server says. */
  readonly version: string;
}

/** Asks for bytes of a file. What the answer holds is the server's word: {@link checkRange} compares. */
export async function requestRange(
  url: URL,
  begin: number,
  length: number,
  options: HttpOptions,
): Promise<RangeAnswer> {
  const file = displayUrl(url);
  const answer = await get(url, { range: `bytes=${begin}-${begin + length - 1}` }, options);
  const { status, headers } = answer.response;
  const version = JSON.stringify([headers.get("etag"), headers.get("last-modified")]);
  const contentRange = headers.get("content-range");
  // No range of an empty file can be satisfied: 416, with its size.
  if (status === 416 && contentRange === "bytes */0") return { answer, begin: 0, end: 0, size: 0, version };
  const refuse = (code: "range-unsupported" | "invalid-response", detail: string): SafetensorsError => {
    answer.close();
    return new SafetensorsError(code, detail, { file });
  };
  if (status === 200) {
    const detail = "the server ignores range requests and would send the whole file; fetch it and use parse() instead";
    throw refuse("range-unsupported", detail);
  }
  if (status !== 206) throw wrongStatus(answer, url);
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") {
    throw refuse("invalid-response", `a range with Content-Encoding: ${encoding.slice(0, 40)} is not one of the file`);
  }
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(contentRange ?? "") ?? [];
  if (first === undefined || last === undefined || size === undefined) {
    const found =
      contentRange === null ? "no Content-Range (or CORS hides it)" : `Content-Range: ${contentRange.slice(0, 80)}`;
    throw refuse("invalid-response", `the partial response has ${found}`);
  }
  return { answer, begin: Number(first), end: Number(last) + 1, size: Number(size), version };
}

/** Throws, and closes the answer, unless it holds exactly these bytes. */
export function checkRange({ answer, begin, end, size }: RangeAnswer, position: number, length: number, url: URL) {
  if (begin === position && end === position + length && end <= size) return;
  answer.close();
  const detail = `asked for bytes ${position} to ${position + length}, the server sent ${begin} to ${end} of ${size}`;
  throw new SafetensorsError("invalid-response", detail, { file: displayUrl(url) });
}

/** Reads consecutive bytes, as many at a time as arrive. */
export interface PieceReader {
  /** Fills the target's beginning with the next bytes. Returns how many: at least one. */
  some(target: Uint8Array): Promise<number>;
  close(): void;
}

/**
 * Reads `length` bytes from `position` on; a request that breaks off is continued where it broke, as long as there are retries.
 *
 * @param request answers with exactly the bytes that it is asked for
 * @param answer that the reading begins with, if there is one
 */
export function rangeReader(
  url: URL,
  position: number,
  length: number,
  request: (position: number, length: number) => Promise<Answer>,
  retries: Retries,
  answer?: Answer,
): PieceReader {
  let piece: Uint8Array | undefined;
  let left = length;
  const close = (): void => {
    answer?.close();
    answer = piece = undefined;
  };
  const next = async (): Promise<Uint8Array> => {
    answer ??= await request(position, left);
    const piece = await nextPiece(answer, url);
    if (piece !== undefined) return piece;
    const detail = `the response ended ${left} bytes too early`;
    const cause = new TransportError("broken", url.host, detail);
    throw new SafetensorsError("truncated", detail, { file: displayUrl(url), cause });
  };
  return {
    async some(target) {
      while (piece === undefined || piece.byteLength === 0) {
        try {
          piece = await next();
        } catch (error) {
          close();
          await retries.after(error);
        }
      }
      const part = piece.subarray(0, target.byteLength);
      target.set(part);
      piece = piece.subarray(part.byteLength);
      position += part.byteLength;
      left -= part.byteLength;
      return part.byteLength;
    },
    close,
  };
}
