/** Where a {@link TokenizerError} was found; only what applies is set. */
export interface TokenizerErrorDetails {
  /** The file that is at fault, as the caller named it. */
  file?: string;
  /** The line in that file, counted from 1. */
  line?: number;
  /** The part of that file, such as `model.merges[7]` or `normalizer`. */
  part?: string;
  /** The token at fault, as the file writes it. */
  token?: string;
  /** The token id at fault. */
  id?: number;
}

/** A vocabulary that cannot be used, or what is no token id. */
export class TokenizerError extends Error {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly part: string | undefined;
  readonly token: string | undefined;
  readonly id: number | undefined;

  constructor(problem: string, details: TokenizerErrorDetails = {}) {
    const { file, line, part, token, id } = details;
    const place = [file, line && `line ${line}`, part].filter((name) => name !== undefined).join(", ");
    super(place === "" ? problem : `${place}: ${problem}`);
    this.name = "TokenizerError";
    this.file = file;
    this.line = line;
    this.part = part;
    this.token = token;
    this.id = id;
  }
}
