import { decodeUtf8, incompleteTailLength } from "./utf8.ts";

/**
 * Decodes token by token. A character may be spread over several tokens: its text comes with the last of them, so that no piece
 * holds half a character. Joined, the pieces are what `decode` returns for all ids.
 */
export class StreamDecoder {
  readonly #bytesOf: (id: number) => Uint8Array;
  #pending: Uint8Array = new Uint8Array(0);

  /** @param bytesOf a token's bytes; throws if there is no such token */
  constructor(bytesOf: (id: number) => Uint8Array) {
    this.#bytesOf = bytesOf;
  }

  /** The text that is complete with this token; often empty. */
  push(id: number): string {
    const token = this.#bytesOf(id);
    const bytes = new Uint8Array(this.#pending.length + token.length);
    bytes.set(this.#pending);
    bytes.set(token, this.#pending.length);
    const complete = bytes.length - incompleteTailLength(bytes);
    this.#pending = bytes.subarray(complete);
    return decodeUtf8(bytes.subarray(0, complete));
  }

  /** What is left at the end: U+FFFD if a character was not completed, otherwise nothing. The decoder can be used again. */
  flush(): string {
    const rest = decodeUtf8(this.#pending);
    this.#pending = new Uint8Array(0);
    return rest;
  }
}
