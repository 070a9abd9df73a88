import { SafetensorsError } from "../errors.ts";
import { displayUrl } from "../transport/display.ts";
import { TransportError } from "../transport/failure.ts";
import { type Answer, send } from "../transport/send.ts";
import type { HttpOptions } from "./options.ts";

/** A request, or the reading of its answer, that may well succeed another time. */
export class TransientError extends SafetensorsError {}

const TRANSIENT_STATUS = new Set([408, 429, 500, 502, 503, 504]);

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

function failed(error: unknown, code: "read-failed" | "truncated", url: URL): unknown {
  if (!(error instanceof TransportError)) return error;
  const isTransient = error.code === "broken" || error.code === "stalled";
  const Kind = isTransient ? TransientError : SafetensorsError;
  return new Kind(code, error.message, { file: displayUrl(url), cause: error });
}

/** The answer's body, whole. Throws {@link SafetensorsError} `http-status`, `truncated`, `too-large`. */
export async function wholeBody(answer: Answer, limit: number, url: URL): Promise<Uint8Array> {
  if (answer.response.status !== 200) throw statusError(answer, url);
  try {
    return await answer.bytes(limit);
  } catch (cause) {
    const isTooLarge = cause instanceof TransportError && cause.code === "too-large";
    if (!isTooLarge) throw failed(cause, "truncated", url);
    throw new SafetensorsError("too-large", `it is longer than ${limit} bytes`, { file: displayUrl(url) });
  }
}

/** Closes the answer, whose status is no success. */
export function statusError({ response, close }: Answer, url: URL): SafetensorsError {
  close();
  const { status, statusText } = response;
  const Kind = TRANSIENT_STATUS.has(status) ? TransientError : SafetensorsError;
  return new Kind("http-status", `the server answered ${status} ${statusText}`.trimEnd(), { file: displayUrl(url) });
}

/** Tries that are left, and the pause before the next one. */
export class Retries {
  #left: number;
  #delay: number;
  readonly #signal: AbortSignal | undefined;

  constructor({ retries = 3, retryDelay = 300, signal }: HttpOptions) {
    this.#left = retries;
    this.#delay = retryDelay;
    this.#signal = signal;
  }

  /** Waits before another try. Throws `error` if that would be in vain, or once too often. */
  async after(error: unknown): Promise<void> {
    if (!(error instanceof TransientError)) throw error;
    // A stall has taken its time already.
    const isStalled = error.cause instanceof TransportError && error.cause.code === "stalled";
    this.#left -= isStalled ? 2 : 1;
    if (this.#left < 0) throw error;
    await pause(this.#delay, this.#signal);
    this.#delay *= 2;
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
  });
}
