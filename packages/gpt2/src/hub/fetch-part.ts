import type { HubConnection, OpenResponse } from "./connection.ts";
import { type Digest, digestOfEtag } from "./digest.ts";
import { HubError } from "./error.ts";
import { normalizeEtag, strongEtag } from "./etag.ts";
import { inPage } from "./in-page.ts";
import { type RetryNotice, type RetryPolicy, withRetries } from "./retry.ts";

/** New bytes that count as progress and restore the retries. */
const PROGRESS_BYTES = 2 ** 20;

/** One file to fetch. */
export interface PartRequest {
  readonly url: string;
  /** Its name in the repository, for messages. */
  readonly file: string;
  readonly size: number;
  readonly digest: Digest;
  /** The ETag the repository listing gave, normalized. */
  readonly etag: string;
}

/** The beginning of a file, kept wherever it is kept. */
export interface Part {
  readonly length: number;
  /** The strong ETag that the bytes so far belong to, where it is known. */
  readonly validator: string | undefined;
  /** Whether more bytes may follow those that are here: it is known, or will be verified, to which version they belong. */
  readonly continuable: boolean;
  /** Starts over, with bytes of another version. */
  restart(validator: string | undefined): Promise<void>;
  /** Appends; whoever opened it closes it. */
  writer(): Promise<PartWriter>;
}

export interface PartWriter {
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface PartObserver {
  /** Bytes of this file that are kept so far, those of an earlier run included. May fall when the file starts over. */
  onBytes?(loaded: number): void;
  onRetry?(notice: RetryNotice): void;
}

/**
 * Fetches what is missing of a file over plain HTTP. Continues what an earlier try or run left, with `Range` and `If-Range`, so that
 * bytes of two versions are never joined (RFC 9110, section 13.1.5); what they are is for the caller to verify.
 *
 * @throws HubError; `signal.reason` when aborted
 */
export async function fetchPart(
  connection: HubConnection,
  request: PartRequest,
  part: Part,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  observer: PartObserver = {},
): Promise<void> {
  // Bytes that replace others of before are no progress: a server that cuts every answer would be asked without end.
  let furthest = part.length;
  const attempt = async (progressed: () => void) => {
    const onBytes = () => {
      if (part.length >= furthest + PROGRESS_BYTES) {
        furthest = part.length;
        progressed();
      }
      observer.onBytes?.(part.length);
    };
    await fetchOnce(connection, request, part, onBytes);
  };
  await withRetries(policy, signal, attempt, observer.onRetry?.bind(observer));
}

async function fetchOnce(
  connection: HubConnection,
  request: PartRequest,
  part: Part,
  onBytes: () => void,
): Promise<void> {
  const { url, file, size } = request;
  if (!part.continuable || part.length > size) await part.restart(undefined);
  if (part.length === size && part.continuable) return;

  const headers: Record<string, string> = {};
  if (part.length > 0) {
    headers["range"] = `bytes=${part.length}-`;
    // Other servers need not let a page send it; there the ETag of the answer is compared, and the digest in the end.
    if (part.validator !== undefined && !inPage) headers["if-range"] = part.validator;
  }
  let opened: OpenResponse;
  try {
    opened = await connection.open(url, { headers, file });
  } catch (error) {
    if (!(error instanceof HubError) || (error.status !== 416 && error.status !== 412)) throw error;
    // The server no longer has such a range of this version.
    await part.restart(undefined);
    opened = await connection.open(url, { file });
  }
  try {
    refuseOtherVersion(opened, request);
    if (!continues(opened.response, part, size)) {
      if (opened.response.status !== 200) {
        refuseOtherSize(opened.response, request, part.length);
        await part.restart(undefined);
        const { status } = opened.response;
        const message = `${url} answered ${status} with a range that was not asked for`;
        throw new HubError("protocol", message, { url, file, status, transient: true });
      }
      await part.restart(strongEtag(opened.response));
    }
    onBytes();
    await append(opened, part, request, onBytes);
  } finally {
    opened.close();
  }
  if (part.length < size) {
    refuseOtherSize(opened.response, request, part.length);
    throw new HubError("connection-lost", `${file} ended after ${part.length} of ${size} bytes`, {
      url,
      file,
      transient: true,
    });
  }
}

/** @returns whether this answer holds exactly the bytes that follow those of the part, of the same version */
function continues(response: Response, part: Part, size: number): boolean {
  if (response.status !== 206 || part.length === 0) return false;
  const encoding = response.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") return false;
  const [, first, last, total] =
    /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (Number(first) !== part.length || Number(last) >= size || (total !== "*" && Number(total) !== size)) return false;
  const etag = response.headers.get("etag");
  return etag === null || part.validator === undefined || etag === part.validator;
}

/** The server's answer was whole, and is no file of the size that was listed: another try would end like this one. */
function refuseOtherSize({ status, headers }: Response, { url, file, size }: PartRequest, received: number): void {
  // The end of a chunked body is told, and the body of another length would have been an error.
  const whole = headers.get("transfer-encoding") === "chunked" ? String(received) : headers.get("content-length");
  const total = status === 206 ? headers.get("content-range")?.split("/")[1] : whole;
  const isItself = (headers.get("content-encoding") ?? "identity") === "identity";
  if (!isItself || !/^\d+$/.test(total ?? "") || Number(total) === size) return;
  throw new HubError("size", `${file} has ${total} bytes on the server, which listed it with ${size}`, { url, file });
}

/** The listing named a hash; when the hub now announces another one, the repository has changed in between. */
function refuseOtherVersion(opened: OpenResponse, request: PartRequest): void {
  const announced = normalizeEtag(opened.hubHeaders.get("x-linked-etag") ?? opened.hubHeaders.get("etag"));
  if (announced === undefined || announced === request.etag) return;
  const { kind } = digestOfEtag(announced);
  if (kind !== "none" && kind === request.digest.kind) {
    const message = `${request.file} changed on the server while it was being downloaded`;
    throw new HubError("changed", message, { url: request.url, file: request.file, hint: "download it again" });
  }
}

async function append(opened: OpenResponse, part: Part, request: PartRequest, onBytes: () => void): Promise<void> {
  const writer = await part.writer();
  try {
    for await (const chunk of opened.body()) {
      if (part.length + chunk.length > request.size) {
        const message = `the server sends more than the ${request.size} bytes it announced for ${request.file}`;
        throw new HubError("size", message, { url: request.url, file: request.file });
      }
      await writer.write(chunk);
      onBytes();
    }
  } finally {
    await writer.close();
  }
}
