import { type Answer, displayUrl, send, TransportError } from "safetensors-ts/transport";
import { nestsTooDeep } from "../json-nesting.ts";
import { HubError } from "./error.ts";
import { statusError, transportError } from "./http-errors.ts";

const MAX_API_BYTES = 8 * 2 ** 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface ConnectionOptions {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  /** Milliseconds without progress until a connection counts as stalled. */
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
  /** The whole body, of at most so many bytes. */
  bytes(limit: number): Promise<Uint8Array>;
  close(): void;
}

/**
 * Requests to one hub: the token goes to the hub's own origin only, and the hub's headers on a redirect are seen. Every failure is
 * a {@link HubError}.
 */
export class HubConnection {
  readonly endpoint: string;
  readonly #options: ConnectionOptions;
  readonly #origin: string;
  /** Hosts that answered. */
  readonly #reached = new Set<string>();

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
  async open(
    url: string,
    init: { method?: "GET" | "HEAD"; headers?: Record<string, string>; file?: string } = {},
  ): Promise<OpenResponse> {
    const { token, fetch, stallTimeout, signal } = this.#options;
    const { method, headers, file } = init;
    const target = new URL(url);
    const isHub = target.origin === this.#origin;
    let hubHeaders: Headers | undefined;
    const answer = await send(target, {
      method,
      headers,
      credentials: isHub && token !== undefined ? { authorization: `Bearer ${token}` } : {},
      fetch,
      stallTimeout,
      signal,
      onAnswer: (response, { host, origin }) => {
        this.#reached.add(host);
        if (origin === this.#origin && (hubHeaders === undefined || !hasMetadata(hubHeaders))) {
          hubHeaders = response.headers;
        }
      },
      // The hub's own answer says all about the file, and the address it redirects to may be signed for GET only.
      follow: (to, from) => method !== "HEAD" || to.origin === from.origin,
    }).catch((cause: unknown) => this.#fail(cause, url, file));
    const { response } = answer;
    const isRedirect = method === "HEAD" && REDIRECTS.has(response.status) && response.headers.has("location");
    if (!response.ok && !isRedirect) {
      answer.close();
      throw statusError(response, { url: displayUrl(target), file, hasToken: token !== undefined });
    }
    const failed = (cause: unknown): never => this.#fail(cause, url, file);
    return {
      response,
      hubHeaders: hubHeaders ?? new Headers(), // a page sees the last answer only
      body: () => pieces(answer, failed),
      bytes: (limit) => answer.bytes(limit).catch(failed),
      close: answer.close,
    };
  }

  /** A small JSON document. */
  async json(url: string): Promise<Response> {
    const opened = await this.open(url, { headers: { accept: "application/json" } });
    const { status, headers } = opened.response;
    const bytes = await opened.bytes(MAX_API_BYTES);
    const text = new TextDecoder().decode(bytes);
    if (nestsTooDeep(text)) {
      throw new HubError("protocol", `${displayUrl(new URL(url))} answers with JSON that nests too deep`, { url });
    }
    return new Response(text, { status, headers });
  }

  #fail(cause: unknown, url: string, file: string | undefined): never {
    if (!(cause instanceof TransportError)) throw cause;
    throw transportError(cause, { url: displayUrl(new URL(url)), file, reachedBefore: this.#reached.has(cause.host) });
  }
}

async function* pieces(answer: Answer, failed: (cause: unknown) => never): AsyncGenerator<Uint8Array> {
  try {
    for (let piece = await answer.next(); piece !== undefined; piece = await answer.next()) yield piece;
  } catch (cause) {
    failed(cause);
  } finally {
    answer.close();
  }
}

function hasMetadata(headers: Headers): boolean {
  return headers.has("x-repo-commit") || headers.has("x-linked-etag");
}
