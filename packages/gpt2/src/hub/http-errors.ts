import { HubError, type HubErrorCode } from "./error.ts";
import { parseRetryAfter } from "./retry.ts";

const TRANSIENT_STATUS = new Set([408, 429, 500, 502, 503, 504]);

const UNKNOWN_HOST = new Set(["ENOTFOUND", "ENODATA"]);
const REFUSED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/**
 * An answer with an error status, in the hub's terms. The hub says what is missing in `X-Error-Code`; for a private
 * repository it answers 401 as for one that does not exist.
 */
export function statusError(
  response: Response,
  request: { url: string; file: string | undefined; hasToken: boolean },
): HubError {
  const { status } = response;
  const { url, file } = request;
  const errorCode = response.headers.get("x-error-code");
  const tokenHint = request.hasToken
    ? "check that the token in HF_TOKEN is valid and may read this model"
    : "if the model is private or gated, set HF_TOKEN to an access token";
  const fail = (code: HubErrorCode, message: string, hint?: string) =>
    new HubError(code, message, {
      url,
      status,
      file,
      hint,
      transient: TRANSIENT_STATUS.has(status),
      retryAfter: parseRetryAfter(response.headers.get("retry-after")),
    });

  if (errorCode === "GatedRepo") {
    return fail(
      "gated",
      `${url} is gated (${status})`,
      `ask for access on the model's page, then set HF_TOKEN to a token that has it`,
    );
  }
  if (errorCode === "RepoNotFound") {
    return fail("repo-not-found", `no such model: ${url} (${status})`, `check the name; ${tokenHint}`);
  }
  if (errorCode === "RevisionNotFound") {
    return fail("revision-not-found", `no such revision: ${url} (${status})`, "check the branch, tag or commit");
  }
  if (errorCode === "EntryNotFound" || (status === 404 && file !== undefined)) {
    return fail("file-not-found", `no such file: ${url} (${status})`);
  }
  if (status === 401 || status === 403) {
    return fail("unauthorized", `access to ${url} was refused (${status})`, tokenHint);
  }
  if (status === 404) {
    return fail("repo-not-found", `no such model: ${url} (404)`, `check the name and the revision; ${tokenHint}`);
  }
  if (status === 429) return fail("rate-limited", `${url} answered 429: too many requests`, "try again later");
  if (status >= 500) return fail("server-error", `${url} answered ${status}`, "try again later");
  return fail("protocol", `${url} answered ${status}, which no hub does`);
}

/** A request that got no answer, or an answer that broke off. */
export function transportError(
  cause: unknown,
  request: { url: string; file: string | undefined; reachedBefore: boolean },
): HubError {
  const { url, file, reachedBefore } = request;
  const { host } = new URL(url);
  const code = systemCode(cause);
  const details = { url, file, cause };
  // A server that answered a moment ago is likely to come back; one that never did is likely a wrong address.
  if (UNKNOWN_HOST.has(code)) {
    const hint = "check the network connection and HF_ENDPOINT";
    return new HubError("unreachable", `cannot find the host ${host}`, { ...details, hint, transient: reachedBefore });
  }
  if (REFUSED.has(code)) {
    const hint = "check the network connection and HF_ENDPOINT";
    const message = `cannot connect to ${host} (${code})`;
    return new HubError("unreachable", message, { ...details, hint, transient: reachedBefore });
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    const hint = "check the proxy and NODE_EXTRA_CA_CERTS";
    return new HubError("unreachable", `no secure connection to ${host} (${code})`, { ...details, hint });
  }
  const reason = code || innermostMessage(cause);
  if (code === "" && !reachedBefore) {
    // fetch itself refused, for instance a blocked port.
    return new HubError("unreachable", `cannot connect to ${host} (${reason})`, {
      ...details,
      hint: "check HF_ENDPOINT",
    });
  }
  return new HubError("connection-lost", `the connection to ${host} broke (${reason})`, {
    ...details,
    transient: true,
  });
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
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message : String(cause);
}
