import { displayUrl, withoutSecrets } from "./display.ts";
import { type TransportCode, TransportError } from "./failure.ts";
import type { Guard, SendOptions } from "./options.ts";
import { proxyHint } from "./proxy.ts";

const MAX_REDIRECTS = 8;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Sends a request and follows its redirects by hand, so that credentials stay with the first origin. */
export async function exchange(
  where: URL,
  options: SendOptions,
  watchdog: Guard,
): Promise<{ response: Response; url: URL }> {
  let [url, credentials] = takeUser(where, options.credentials);
  const { origin } = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await fetchOnce(url, url.origin === origin ? credentials : {}, options, watchdog);
    options.onAnswer?.(response, url);
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    const next = location === null ? undefined : redirectTarget(location, url);
    if (next === undefined || options.follow?.(next, url) === false) return { response, url };
    await response.body?.cancel();
    url = next;
  }
  throw new TransportError("redirect", url.host, `${displayUrl(where)} redirects more than ${MAX_REDIRECTS} times`);
}

/** User and password of a URL as the header that they stand for: `fetch` refuses them in a URL. */
function takeUser(where: URL, credentials: SendOptions["credentials"] = {}): [URL, Readonly<Record<string, string>>] {
  const url = new URL(where);
  if (url.username === "" && url.password === "") return [url, credentials];
  const user = [url.username, url.password].map(decoded).join(":");
  const authorization = `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(user)))}`;
  url.username = url.password = "";
  return [url, { authorization, ...credentials }];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function fetchOnce(
  url: URL,
  credentials: Readonly<Record<string, string>>,
  { method = "GET", headers, fetch = globalThis.fetch, signal }: SendOptions,
  watchdog: Guard,
): Promise<Response> {
  // Ranges and sizes are about the file itself, not about a compressed form of it.
  const sent = { "accept-encoding": "identity", ...credentials, ...headers };
  const request = (redirect: RequestRedirect): Promise<Response> =>
    watchdog.guard(fetch(url.href, { method, headers: sent, redirect, signal: watchdog.signal }));
  try {
    const response = await request("manual");
    watchdog.answered();
    // What a page of Electron sees of a redirect: nothing.
    return response.type === "opaqueredirect" ? await request("follow") : response;
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause instanceof TransportError ? cause : failureOf(cause, url, false);
  }
}

function redirectTarget(location: string, from: URL): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (target?.protocol === "http:" || target?.protocol === "https:") return target;
  throw new TransportError(
    "redirect",
    from.host,
    `${displayUrl(from)} redirects to something that is not a web address`,
  );
}

const UNKNOWN_HOST = new Set(["ENOTFOUND", "ENODATA", "EAI_AGAIN"]);
const REFUSED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"]);

/**
 * What the rejection of `fetch` or of a body's `read` means.
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
  return fail("blocked", `cannot connect to ${host} (${reason})`, proxyHint(url));
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
