import type { DeviceError } from "../../errors.ts";

/**
 * Floats on the device, or on their way there: the kernel that makes them may still be in the launcher's queue. Whoever asked for
 * a buffer owns it and frees it once; so does whoever retains it.
 */
export class DeviceBuffer {
  /** Number of floats. */
  readonly length: number;
  /** Its handle in GPU.js or on the device; undefined until it is made, and after it is freed. */
  handle: unknown;
  /** Why it has no contents. What is computed from it fails with the same error. */
  error: DeviceError | undefined;
  /** Settles when the device has accepted the work that makes it: only then is `error` final. Undefined after that. */
  accepted: Promise<void> | undefined;
  /** How many owners have not freed it yet. */
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
