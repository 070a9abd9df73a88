/** Where a {@link TokenizerError} was found; only what applies is set. */
export interface TokenizerErrorDetails {
  /** The file that is at fault, as the caller named it. */
  file?: string;
  /** The line in that file, counted from 1. */
  line?: number;
  /** The token at fault, as the file writes it. */
  token?: string;
  /** The token id at fault. */
  id?: number;
}

/** A vocabulary that cannot be used, or an id that is not in it. */
export class TokenizerError extends Error {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly token: string | undefined;
  readonly id: number | undefined;

  constructor(problem: string, details: TokenizerErrorDetails = {}) {
    const { file, line, token, id } = details;
    const place = file === undefined ? "" : line === undefined ? `${file}: ` : `${file}, line ${line}: `;
    super(place + problem);
    this.name = "TokenizerError";
    this.file = file;
    this.line = line;
    this.token = token;
    this.id = id;
  }
}
