import type { RetryOptions } from "../transport/retries.ts";

export interface HttpOptions extends RetryOptions {
  /** Sent with each request, such as `Authorization`; not to another origin that the server redirects to. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Aborts requests and reads under way; they reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Used in place of the global `fetch`. It must leave redirects alone when asked to (`redirect: "manual"`). */
  readonly fetch?: typeof fetch | undefined;
  /** Milliseconds in which (almost) nothing arrives until a request is given up. Default 30 s. */
  readonly stallTimeout?: number | undefined;
}
