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

/** Bytes that are no pickle, or a pickle of more than plain data. */
export class PickleError extends Error {
  override readonly name = "PickleError";
  /** Name of the instruction at fault; undefined if the bytes end before one, or after the last. */
  readonly opcode: string | undefined;
  /** Its first byte. */
  readonly offset: number;
  constructor(opcode: string | undefined, offset: number, message: string) {
    super(`${opcode === undefined ? "" : `${opcode} `}at byte ${offset}: ${message}`);
    this.opcode = opcode;
    this.offset = offset;
  }
}
