import { HubError } from "./error.ts";
import { statusError, transportError } from "./http-errors.ts";

const MAX_REDIRECTS = 8;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_API_BYTES = 64 * 2 ** 20;

export interface ConnectionOptions {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  /** Milliseconds without a byte until a connection counts as stalled. */
  readonly stallTimeout: number;
  readonly signal: AbortSignal | undefined;
}

/** An answer whose headers are here and whose body is still to come. Close it, or read its body to the end. */
export interface OpenResponse {
  readonly response: Response;
  /** Headers of the hub's own answer, which may be the redirect that led to `response`. */
  readonly hubHeaders: Headers;
  /** The body, with transport errors and stalls as {@link HubError}. */
  body(): AsyncGenerator<Uint8Array>;
  close(): void;
}

/**
 * Requests to one hub: follows redirects by hand, so that the token goes to the hub's own origin only and the hub's
 * headers on a redirect are seen; gives up on connections that stall; turns every failure into a {@link HubError}.
 */
export class HubConnection {
  readonly endpoint: string;
  readonly #options: ConnectionOptions;
  readonly #origin: string;
  #reached = false;

  constructor(options: ConnectionOptions) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#origin = new URL(options.endpoint).origin;
  }

  /**
   * Sends one request, without retries.
   *
   * @throws HubError when the server cannot be reached or answers with an error status
   */
  async open(url: string, init: { method?: "GET" | "HEAD"; headers?: Record<string, string>; file?: string } = {}) {
    const watchdog = new Watchdog(this.#options, url);
    try {
      let hubHeaders: Headers | undefined;
      let target = new URL(url);
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        const response = await this.#send(target, init, watchdog);
        if (target.origin === this.#origin && (hubHeaders === undefined || !hasMetadata(hubHeaders))) {
          hubHeaders = response.headers;
        }
        const location = response.headers.get("location");
        if (!REDIRECTS.has(response.status) || location === null) {
          if (!response.ok) {
            throw statusError(response, { url, file: init.file, hasToken: this.#options.token !== undefined });
          }
          return this.#opened(response, hubHeaders ?? response.headers, url, init.file, watchdog);
        }
        await response.body?.cancel();
        const next = redirectTarget(location, target, init.file);
        // The hub's own answer says all about the file, and the address it redirects to may be signed for GET only.
        if (init.method === "HEAD" && next.origin !== target.origin) {
          return this.#opened(response, hubHeaders ?? response.headers, url, init.file, watchdog);
        }
        target = next;
      }
      throw new HubError("protocol", `too many redirects from ${url}`, { url, file: init.file });
    } catch (error) {
      watchdog.stop();
      throw error;
    }
  }

  /** `fetch` for the hub client library: a request by {@link open}, its body read whole and bounded in size. */
  readonly fetchApi = async (input: string | URL | Request): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    const opened = await this.open(url, { headers: { accept: "application/json" } });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of opened.body()) {
      length += chunk.length;
      if (length > MAX_API_BYTES) throw new HubError("protocol", `the answer of ${url} is too long`, { url });
      chunks.push(chunk);
    }
    return new Response(Buffer.concat(chunks), { status: opened.response.status, headers: opened.response.headers });
  };

  async #send(
    target: URL,
    init: { method?: string; headers?: Record<string, string>; file?: string },
    watchdog: Watchdog,
  ): Promise<Response> {
    // Range requests and sizes are about the file itself, not about a compressed form of it.
    const headers: Record<string, string> = { "accept-encoding": "identity", ...init.headers };
    const { token } = this.#options;
    if (token !== undefined && target.origin === this.#origin) headers["authorization"] = `Bearer ${token}`;
    try {
      const request = { method: init.method ?? "GET", headers, redirect: "manual", signal: watchdog.signal } as const;
      const response = await watchdog.guard(this.#options.fetch(target.href, request));
      this.#reached = true;
      return response;
    } catch (cause) {
      this.#options.signal?.throwIfAborted();
      if (cause instanceof HubError) throw cause;
      throw transportError(cause, { url: target.href, file: init.file, reachedBefore: this.#reached });
    }
  }

  #opened(
    response: Response,
    hubHeaders: Headers,
    url: string,
    file: string | undefined,
    watchdog: Watchdog,
  ): OpenResponse {
    const { signal } = this.#options;
    async function* body(): AsyncGenerator<Uint8Array> {
      const reader = response.body?.getReader();
      try {
        while (reader !== undefined) {
          const { done, value } = await watchdog.guard(reader.read());
          if (done) break;
          yield value;
        }
      } catch (cause) {
        signal?.throwIfAborted();
        if (cause instanceof HubError) throw cause;
        throw transportError(cause, { url, file, reachedBefore: true });
      } finally {
        watchdog.stop();
        reader?.cancel().catch(() => undefined);
      }
    }
    return {
      response,
      hubHeaders,
      body,
      close() {
        watchdog.stop();
        response.body?.cancel().catch(() => undefined);
      },
    };
  }
}

/** Aborts a request when nothing arrives for too long, or when the caller wants to stop. */
class Watchdog {
  readonly #controller = new AbortController();
  readonly #options: ConnectionOptions;
  readonly #url: string;
  readonly #forward = () => this.#controller.abort(this.#options.signal?.reason);

  constructor(options: ConnectionOptions, url: string) {
    this.#options = options;
    this.#url = url;
    if (options.signal?.aborted) this.#forward();
    options.signal?.addEventListener("abort", this.#forward);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for `step`, but no longer than the stall timeout, even where a custom `fetch` ignores its signal. */
  async guard<T>(step: Promise<T>): Promise<T> {
    const { stallTimeout } = this.#options;
    const timer = setTimeout(() => this.#controller.abort(stalled(stallTimeout, this.#url)), stallTimeout);
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.signal.reason);
      if (this.signal.aborted) onAbort();
      else this.signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([step, aborted]);
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) this.signal.removeEventListener("abort", onAbort);
      step.catch(() => undefined);
    }
  }

  stop(): void {
    this.#options.signal?.removeEventListener("abort", this.#forward);
  }
}

function stalled(milliseconds: number, url: string): HubError {
  const message = `${url} stalled: nothing arrived for ${milliseconds / 1000} s`;
  return new HubError("stalled", message, { url, transient: true });
}

function redirectTarget(location: string, from: URL, file: string | undefined): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (target === undefined || (target.protocol !== "http:" && target.protocol !== "https:")) {
    throw new HubError("protocol", `${from.href} redirects to something that is not a web address`, { file });
  }
  return target;
}

function hasMetadata(headers: Headers): boolean {
  return headers.has("x-repo-commit") || headers.has("x-linked-etag");
}
