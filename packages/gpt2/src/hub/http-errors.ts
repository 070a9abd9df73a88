import type { TransportError } from "safetensors-ts/transport";
import { HubError, type HubErrorCode } from "./error.ts";
import { inPage } from "./in-page.ts";
import { parseRetryAfter } from "./retry.ts";

const TRANSIENT_STATUS = new Set([408, 429, 500, 502, 503, 504]);

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
  const tokenHint = inPage
    ? "private and gated models cannot be read from a page"
    : request.hasToken
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
      inPage ? tokenHint : "ask for access on the model's page, then set HF_TOKEN to a token that has it",
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
  cause: TransportError,
  request: { url: string; file: string | undefined; reachedBefore: boolean },
): HubError {
  const { url, file, reachedBefore } = request;
  const { message } = cause;
  const details = { url, file, cause };
  switch (cause.code) {
    // A server that answered a moment ago is likely to come back; one that never did is likely a wrong address.
    case "unknown-host":
    case "refused": {
      const hint = "check the network connection and HF_ENDPOINT"; // pages cannot tell these
      return new HubError("unreachable", message, { ...details, hint, transient: reachedBefore });
    }
    case "insecure":
      return new HubError("unreachable", message, details);
    case "blocked":
      return new HubError("unreachable", message, inPage ? details : { ...details, hint: "check HF_ENDPOINT" });
    case "broken":
      return new HubError("connection-lost", message, { ...details, transient: true });
    case "stalled":
      return new HubError("stalled", message, { ...details, transient: true });
    case "redirect":
    case "too-large":
    case "status":
      return new HubError("protocol", `${url}: ${message}`, details);
  }
}
