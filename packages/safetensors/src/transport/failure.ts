import { withoutSecrets } from "./display.ts";
import { proxyHint } from "./proxy.ts";

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
const UNKNOWN_HOST = new Set(["ENOTFOUND", "ENODATA", "EAI_AGAIN"]);
const REFUSED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"]);

/**
 * What the rejection of `fetch` or of a body's `read` means. A page learns no cause: there `fetch` says only that it failed.
 *
 * @param begun whether the server had begun to answer
 */
export function failureOf(cause: unknown, url: URL, begun: boolean): TransportError {
  const { host } = url;
  const code = systemCode(cause);
  const fail = (kind: TransportCode, message: string, hint?: string): TransportError =>
    new TransportError(kind, host, hint === undefined ? message : `${message}; ${hint}`, cause);
  if (UNKNOWN_HOST.has(code)) return fail("unknown-host", `cannot find the host ${host} (${code})`, proxyHint(url));
  if (REFUSED.has(code)) return fail("refused", `cannot connect to ${host} (${code})`, proxyHint(url));
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    const hint = "if a proxy or a private authority signs its certificates, set NODE_EXTRA_CA_CERTS";
    return fail("insecure", `no secure connection to ${host} (${code})`, hint);
  }
  const reason = code || withoutSecrets(innermostMessage(cause));
  if (begun) return fail("broken", `the connection to ${host} broke (${reason})`);
  if (code !== "") return fail("broken", `the connection to ${host} broke (${reason})`, proxyHint(url));
  const isInNode = globalThis.process?.getBuiltinModule !== undefined;
  const hint = isInNode
    ? proxyHint(url)
    : "there is no connection, or the server does not let this page read it (CORS)";
  return fail("blocked", `cannot connect to ${host} (${reason})`, hint);
}

/** fetch hides the system's error code at the end of a chain of causes, possibly one per address tried. */
function systemCode(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth++) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
    cause = cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors[0] : cause.cause;
  }
  return "";
}

function innermostMessage(error: unknown): string {
  let cause = error;
  for (let depth = 0; cause instanceof Error && cause.cause instanceof Error && depth < 8; depth++) cause = cause.cause;
  return cause instanceof Error ? cause.message : String(cause);
}
