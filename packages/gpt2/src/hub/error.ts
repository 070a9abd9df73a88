import { withoutSecrets } from "safetensors-ts/transport";

/** What went wrong with a download, for callers that want to react to it. */
export type HubErrorCode =
  | "invalid-name"
  | "invalid-option"
  | "repo-not-found"
  | "revision-not-found"
  | "file-not-found"
  | "unauthorized"
  | "gated"
  | "rate-limited"
  | "server-error"
  | "unreachable"
  | "connection-lost"
  | "stalled"
  | "protocol"
  | "changed"
  | "checksum"
  | "size"
  | "no-config"
  | "no-tokenizer"
  | "no-safetensors"
  | "offline"
  | "disk-full"
  | "no-storage"
  | "in-use"
  | "not-writable"
  | "file-system";

/** Where an error happened and what to do about it; see {@link HubError}. */
export interface HubErrorDetails {
  readonly url?: string | undefined;
  readonly status?: number | undefined;
  readonly file?: string | undefined;
  readonly hint?: string | undefined;
  readonly transient?: boolean;
  readonly retryAfter?: number | undefined;
  readonly needed?: number | undefined;
  readonly available?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error of the hub module. Its message is a single line that ends with the hint, ready for a terminal.
 */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly code: HubErrorCode;
  /** The URL that was asked, without query, user and password. */
  readonly url: string | undefined;
  /** The HTTP status, when a server answered. */
  readonly status: number | undefined;
  /** The file of the repository (or on disk) concerned. */
  readonly file: string | undefined;
  /** What the user can do about it. */
  readonly hint: string | undefined;
  /** True when the same request may well succeed later. */
  readonly transient: boolean;
  /** Seconds the server asked to wait before the next try. */
  readonly retryAfter: number | undefined;
  /** For `disk-full` in a page: the bytes that are needed, and, where it tells, those that the browser still lets the site keep. */
  readonly needed: number | undefined;
  readonly available: number | undefined;

  constructor(code: HubErrorCode, message: string, details: HubErrorDetails = {}) {
    const line = details.hint === undefined ? message : `${message}; ${details.hint}`;
    super(
      withoutSecrets(line.replace(/\s*[\r\n]+\s*/g, " ")),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.url = details.url === undefined ? undefined : withoutSecrets(details.url);
    this.status = details.status;
    this.file = details.file;
    this.hint = details.hint;
    this.transient = details.transient ?? false;
    this.retryAfter = details.retryAfter;
    this.needed = details.needed;
    this.available = details.available;
  }
}
