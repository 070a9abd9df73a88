import type { DeviceError } from "../../errors.ts";

/**
 * Floats on the device, or on their way there: what made them may still wait in the launcher's queue. Whoever asked for
 * a buffer owns it and frees it, once; so does whoever retains it.
 */
export class DeviceBuffer {
  /** Number of floats. */
  readonly length: number;
  /** What GPU.js or the device knows it by; undefined until it was made, and after it was freed. */
  handle: unknown;
  /** Why it holds nothing. What is computed from it fails with the same error. */
  error: DeviceError | undefined;
  /** Settles when the device has accepted what made it: only then is `error` final. Undefined once it has. */
  accepted: Promise<void> | undefined;
  /** How many have yet to free it. */
  owners = 1;

  constructor(length: number) {
    this.length = length;
  }
}

/** The result of a kernel call that was recorded, or an argument of the function being recorded: no memory yet. */
export class RecordedBuffer extends DeviceBuffer {
  override readonly handle: unknown;

  constructor(length: number, handle: unknown) {
    super(length);
    this.handle = handle;
  }
}
