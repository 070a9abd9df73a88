/** Shapes, axes or indices that an operation cannot work with. */
export class ShapeMismatchError extends Error {
  override readonly name = "ShapeMismatchError";
  /** The operation that refused, as in its message. */
  readonly op: string;
  constructor(op: string, message: string) {
    super(`${op}: ${message}`);
    this.op = op;
  }
}

/** Element types that an operation does not take, or a number that an element type cannot hold. */
export class DTypeError extends Error {
  override readonly name = "DTypeError";
  /** The operation that refused, as in its message. */
  readonly op: string;
  constructor(op: string, message: string) {
    super(`${op}: ${message}`);
    this.op = op;
  }
}

/** A device that cannot do what was asked: missing, lost, out of memory, or not the operands' device. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly device: string;
  constructor(device: string, message: string, options?: ErrorOptions) {
    super(`${device}: ${message}`, options);
    this.device = device;
  }
}

/** A tensor used after it was disposed of. */
export class DisposedError extends Error {
  override readonly name = "DisposedError";
  constructor() {
    super("this tensor was disposed (by dispose(), by `using`, or at the end of the tidy() that made it)");
  }
}

/** A gradient that cannot be had. */
export class GradientError extends Error {
  override readonly name = "GradientError";
  /** The operation that has none, or the function that was asked for one. */
  readonly op: string;
  constructor(op: string, message: string) {
    super(`${op}: ${message}`);
    this.op = op;
  }
}
