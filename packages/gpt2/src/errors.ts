import { printable, showValue } from "@gpt2-ts/tensor/options";

/** A sequence that is longer than the model's context. */
export class ContextLengthError extends RangeError {
  override readonly name = "ContextLengthError";
  readonly length: number;
  readonly limit: number;
  constructor(length: number, limit: number) {
    super(
      `${length} tokens do not fit into the context of ${limit}: shorten the text, or score it with a sliding window`,
    );
    this.length = length;
    this.limit = limit;
  }
}

/** A token id that is not in the vocabulary. */
export class TokenIdError extends RangeError {
  override readonly name = "TokenIdError";
  readonly id: number;
  readonly index: number;
  constructor(id: number, index: number, vocabSize: number) {
    super(
      `token id ${showValue(id)} (at index ${index}) is outside the vocabulary: expected an integer from 0 to ${vocabSize - 1}`,
    );
    this.id = id;
    this.index = index;
  }
}

/** A model folder or checkpoint that cannot be loaded. */
export class ModelFormatError extends Error {
  override readonly name = "ModelFormatError";
  /** The file at fault. */
  readonly file: string;
  /** The config field or tensor at fault, if there is one. */
  readonly field: string | undefined;
  constructor(file: string, message: string, field?: string, options?: ErrorOptions) {
    super(printable(`${file}: ${message}`), options); // both quote what other people wrote
    this.file = file;
    this.field = field;
  }
}

/** A compressed file that cannot be opened: cut, changed, of another kind, or made with another model. */
export class CompressedFormatError extends Error {
  override readonly name = "CompressedFormatError";
}
