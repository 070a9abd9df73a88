import type { DeviceError } from "../../errors.ts";

/**
 * Floats on the device, or on their way there: what made them may still wait in the launcher's queue. Whoever asked for
 * a buffer owns it and frees it, once.
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
  freed = false;

  constructor(length: number) {
    this.length = length;
  }
}
