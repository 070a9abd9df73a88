export { PickleError } from "@gpt2-ts/gpt2/pickle";

/** A file that does not hold the texts that it should, or a folder without the files. */
export class DataError extends Error {
  override readonly name = "DataError";
  /** The file or folder. */
  readonly file: string;
  /** Where in it: `line 3`, `byte 17`, `entry 4`. */
  readonly place: string | undefined;
  constructor(file: string, message: string, place?: string, options?: ErrorOptions) {
    super(`${file}: ${place === undefined ? "" : `${place}: `}${message}`, options);
    this.file = file;
    this.place = place;
  }
}
