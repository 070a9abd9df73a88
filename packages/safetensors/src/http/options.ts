export interface HttpOptions {
  /** Sent with each request, such as `Authorization`; not to another origin that the server redirects to. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Aborts requests and reads under way; they reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Used in place of the global `fetch`. It must leave redirects alone when asked to (`redirect: "manual"`). */
  readonly fetch?: typeof fetch | undefined;
  /** Milliseconds in which (almost) nothing arrives until a request is given up. Default 30 s. */
  readonly stallTimeout?: number | undefined;
  /** How often a request that broke off is continued, or one that failed for the moment repeated. Default 3. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first retry, doubling after. Default 300. */
  readonly retryDelay?: number | undefined;
}
