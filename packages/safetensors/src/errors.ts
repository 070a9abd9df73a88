/**
 * What went wrong, one code per rule:
 *
 * - the file's header: `header-too-small`, `header-too-large`, `header-past-end`, `header-not-utf8`, `header-not-json`,
 *   `header-not-object`, `duplicate-key`, `invalid-metadata`
 * - one tensor's entry: `invalid-tensor-info`, `unknown-dtype`, `shape-overflow`, `misaligned`, `size-mismatch`,
 *   `invalid-offsets`; and `data-not-covered` when the last tensor does not end where the file ends
 * - reading: `invalid-source`, `read-failed`, `truncated`, `too-large`, `closed`, `tensor-not-found`, `invalid-target`,
 *   `unsupported-conversion`, `unsupported-platform`, `source-changed`
 * - HTTP: `http-status`, `range-unsupported`, `invalid-response`
 * - sharded checkpoints: `invalid-index`, `missing-shard`, `missing-from-shard`, `duplicate-tensor`
 * - writing: `invalid-name`, `invalid-tensor`, `invalid-metadata`, `header-too-large`, `write-failed`
 */
export type SafetensorsErrorCode =
  | "header-too-small"
  | "header-too-large"
  | "header-past-end"
  | "header-not-utf8"
  | "header-not-json"
  | "header-not-object"
  | "duplicate-key"
  | "invalid-metadata"
  | "invalid-tensor-info"
  | "unknown-dtype"
  | "shape-overflow"
  | "misaligned"
  | "size-mismatch"
  | "invalid-offsets"
  | "data-not-covered"
  | "invalid-source"
  | "read-failed"
  | "truncated"
  | "too-large"
  | "closed"
  | "tensor-not-found"
  | "invalid-target"
  | "unsupported-conversion"
  | "unsupported-platform"
  | "http-status"
  | "range-unsupported"
  | "invalid-response"
  | "source-changed"
  | "invalid-index"
  | "missing-shard"
  | "missing-from-shard"
  | "duplicate-tensor"
  | "invalid-name"
  | "invalid-tensor"
  | "write-failed";

/** Where an error happened; `cause` is the underlying error, if there was one. */
export interface SafetensorsErrorContext {
  readonly file?: string | undefined;
  readonly tensor?: string | undefined;
  readonly cause?: unknown;
}

/** The only error this package throws on bad input, apart from an `AbortSignal`'s own reason. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
  readonly code: SafetensorsErrorCode;
  /** Path, URL or file name of the source, if it has one. */
  readonly file: string | undefined;
  /** Name of the tensor at fault, if one tensor is. */
  readonly tensor: string | undefined;

  constructor(code: SafetensorsErrorCode, detail: string, context: SafetensorsErrorContext = {}) {
    const { file, tensor, cause } = context;
    const where = [file, tensor === undefined ? undefined : `tensor ${quote(tensor)}`].filter(
      (part) => part !== undefined,
    );
    super([...where, detail].join(": "), cause === undefined ? undefined : { cause });
    this.code = code;
    this.file = file;
    this.tensor = tensor;
  }
}

const MAX_QUOTED_LENGTH = 120;

/** What JSON leaves as it is and a terminal obeys or does not show: DEL, C1, and characters that turn the text's direction. */
const UNPRINTABLE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text as a JSON string, cut so that a hostile name cannot flood a log, or write to a terminal. */
export function quote(text: string): string {
  const short = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  return JSON.stringify(short).replace(UNPRINTABLE, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
