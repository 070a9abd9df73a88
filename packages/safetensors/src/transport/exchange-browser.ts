import { TransportError } from "./failure.ts";
import type { Guard, SendOptions } from "./options.ts";

/** Sends a request. Pages do not see redirects: `fetch` follows them. */
export async function exchange(
  url: URL,
  { method = "GET", headers, credentials, fetch = globalThis.fetch, signal, onAnswer }: SendOptions,
  watchdog: Guard,
): Promise<{ response: Response; url: URL }> {
  try {
    const request = { method, headers: { ...credentials, ...headers }, signal: watchdog.signal };
    const response = await watchdog.guard(fetch(url.href, request));
    watchdog.answered();
    // Where the redirects led.
    const place = response.url === "" ? url : new URL(response.url);
    onAnswer?.(response, place);
    return { response, url: place };
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause instanceof TransportError ? cause : failureOf(cause, url, false);
  }
}

/** What the rejection of `fetch` or of a body's `read` means. A page learns no cause. */
export function failureOf(cause: unknown, { host }: URL, begun: boolean): TransportError {
  if (begun) return new TransportError("broken", host, `the connection to ${host} broke`, cause);
  const reasons = "there is no connection, or the server does not let this page read it (CORS)";
  return new TransportError("blocked", host, `cannot connect to ${host}: ${reasons}`, cause);
}
