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

/** A vocabulary that cannot be used, an id that is not in it, or an option that makes no sense. */
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

/** Throws a {@link TokenizerError} if `options` has a key that is not in `known`: a misspelt option must not pass. */
export function checkOptionNames(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TokenizerError(`unknown option "${name}" (known: ${known.join(", ")})`);
  }
}
