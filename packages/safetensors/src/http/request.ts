import { SafetensorsError } from "../errors.ts";
import { displayUrl } from "../transport/display.ts";
import { TransportError } from "../transport/failure.ts";
import { type Answer, send, statusError } from "../transport/send.ts";
import type { HttpOptions } from "./options.ts";

/** Sends a GET. Throws {@link SafetensorsError} `read-failed` if there is no answer. */
export async function get(url: URL, headers: Record<string, string>, options: HttpOptions): Promise<Answer> {
  const { headers: credentials, signal, fetch, stallTimeout } = options;
  try {
    return await send(url, { headers, credentials, signal, fetch, stallTimeout });
  } catch (cause) {
    throw failed(cause, "read-failed", url);
  }
}

/** The next piece of the answer. Throws {@link SafetensorsError} `truncated` if the connection breaks. */
export async function nextPiece(answer: Answer, url: URL): Promise<Uint8Array | undefined> {
  try {
    return await answer.next();
  } catch (cause) {
    throw failed(cause, "truncated", url);
  }
}

/** The answer's body, whole. Throws {@link SafetensorsError} `http-status`, `truncated`, `too-large`. */
export async function wholeBody(answer: Answer, limit: number, url: URL): Promise<Uint8Array> {
  if (answer.response.status !== 200) throw wrongStatus(answer, url);
  try {
    return await answer.bytes(limit);
  } catch (cause) {
    throw failed(cause, "truncated", url);
  }
}

/** Closes the answer, whose status is no success. */
export function wrongStatus(answer: Answer, url: URL): SafetensorsError {
  return failed(statusError(answer), "http-status", url) as SafetensorsError;
}

function failed(cause: unknown, code: "read-failed" | "truncated" | "http-status", url: URL): unknown {
  if (!(cause instanceof TransportError)) return cause;
  const isTooLarge = cause.code === "too-large";
  return new SafetensorsError(isTooLarge ? "too-large" : code, cause.message, { file: displayUrl(url), cause });
}
