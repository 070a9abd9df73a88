/**
 * Why a request got no whole answer: the host has no address, or takes no connection; there is no secure connection; the
 * connection broke, or nothing arrived for too long; `fetch` refused the request; the redirects lead nowhere; the answer is too
 * long, or says that the server has an error.
 */
export type TransportCode =
  | "unknown-host"
  | "refused"
  | "insecure"
  | "broken"
  | "stalled"
  | "blocked"
  | "redirect"
  | "too-large"
  | "status";

/** A request without a whole answer. The message names the host and the cause, and nothing that may be secret. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportCode;
  readonly host: string;
  /** The HTTP status, for code `status`. */
  readonly status: number | undefined;

  constructor(code: TransportCode, host: string, message: string, cause?: unknown, status?: number) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.host = host;
    this.status = status;
  }

  /** Whether the same request may well succeed another time. */
  get isTransient(): boolean {
    return this.code === "broken" || this.code === "stalled" || TRANSIENT_STATUS.has(this.status ?? 0);
  }
}

const TRANSIENT_STATUS = new Set([408, 429, 500, 502, 503, 504]);
