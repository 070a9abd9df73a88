export interface SendOptions {
  readonly method?: "GET" | "HEAD" | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent to the origin of the first URL only, not to where it redirects. (A page cannot follow redirects by itself: there
   * `fetch` does, which keeps only `Authorization` from other origins.) */
  readonly credentials?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Used in place of the global `fetch`. It must leave redirects alone when asked to (`redirect: "manual"`). */
  readonly fetch?: typeof fetch | undefined;
  /** Milliseconds without progress until the request is given up. Default 30 s. */
  readonly stallTimeout?: number | undefined;
  /** Sees every answer on the way. */
  readonly onAnswer?: ((response: Response, url: URL) => void) | undefined;
  /** Whether to follow a redirect; the redirect itself is the answer if not. Default: always. */
  readonly follow?: ((to: URL, from: URL) => boolean) | undefined;
}

/** What watches over a request. */
export interface Guard {
  readonly signal: AbortSignal;
  /** Waits for `step`, but no longer than without progress is allowed. */
  guard<Result>(step: Promise<Result>): Promise<Result>;
  /** Headers arrived. */
  answered(): void;
}
