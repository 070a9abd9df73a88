import { exchange, failureOf } from "#exchange";
import { TransportError } from "./failure.ts";
import type { SendOptions } from "./options.ts";
import { STALL_TIMEOUT, Watchdog } from "./watchdog.ts";

/** An answer whose headers are here and whose body is still to come. Close it, or read its body to the end. */
export interface Answer {
  readonly response: Response;
  /** Where it came from, after redirects. */
  readonly url: URL;
  /** The next piece of the body; undefined at its end. Throws {@link TransportError}, or the signal's reason. */
  next(): Promise<Uint8Array | undefined>;
  /** The whole body. Throws {@link TransportError} `too-large` for one that is longer than `limit` bytes. */
  bytes(limit: number): Promise<Uint8Array>;
  /** Leaves the rest of the body. */
  close(): void;
}

/**
 * Sends one request and follows its redirects. Gives up when too little arrives for too long; bodies are read piece by piece, at
 * the caller's pace.
 *
 * @throws TransportError for a request without an answer (error statuses are answers); `signal.reason`
 */
export async function send(where: URL, options: SendOptions = {}): Promise<Answer> {
  const { signal, stallTimeout = STALL_TIMEOUT } = options;
  signal?.throwIfAborted();
  const watchdog = new Watchdog(where.host, stallTimeout, signal);
  try {
    const { response, url } = await exchange(where, options, watchdog);
    return answer(response, url, watchdog, signal);
  } catch (error) {
    watchdog.stop();
    throw error;
  }
}

/** Closes an answer whose status is no success, for the caller to throw. */
export function statusError({ response, url, close }: Answer): TransportError {
  close();
  const { status, statusText } = response;
  return new TransportError(
    "status",
    url.host,
    `the server answered ${status} ${statusText}`.trimEnd(),
    undefined,
    status,
  );
}

function answer(response: Response, url: URL, watchdog: Watchdog, signal: AbortSignal | undefined): Answer {
  const reader = response.body?.getReader();
  const close = (): void => {
    reader?.cancel().catch(() => undefined);
    watchdog.stop();
  };
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      const value = reader === undefined ? undefined : (await watchdog.guard(reader.read())).value;
      if (value === undefined) close();
      else watchdog.arrived(value.byteLength);
      return value;
    } catch (cause) {
      close();
      signal?.throwIfAborted();
      throw cause instanceof TransportError ? cause : failureOf(cause, url, true);
    }
  };
  const bytes = async (limit: number): Promise<Uint8Array> => {
    const tooLarge = () => new TransportError("too-large", url.host, `the answer is longer than ${limit} bytes`);
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      if (Number(response.headers.get("content-length")) > limit) throw tooLarge();
      for (let piece = await next(); piece !== undefined; piece = await next()) {
        length += piece.byteLength;
        if (length > limit) throw tooLarge();
        pieces.push(piece);
      }
    } finally {
      close();
    }
    const whole = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    return whole;
  };
  return { response, url, next, bytes, close };
}
