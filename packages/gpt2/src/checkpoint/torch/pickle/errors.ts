/** Bytes that are no pickle, or a pickle of more than may be in it. */
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
