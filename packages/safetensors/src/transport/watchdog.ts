import { TransportError } from "./failure.ts";
import type { Guard } from "./options.ts";

/** Milliseconds without progress until a request counts as stalled. */
export const STALL_TIMEOUT = 30_000;
/** Bytes a millisecond that count as progress: slower than any line, so that a trickle is a stall. */
const SLOWEST = 0.5;

/** Aborts a request when too little arrives for too long, or when the caller wants to stop. */
export class Watchdog implements Guard {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timeout: number;
  readonly #host: string;
  /** Milliseconds waited, and bytes arrived, since there was progress. The time that the caller takes does not count. */
  #waited = 0;
  #arrived = 0;
  readonly #forward = (): void => this.#controller.abort(this.#caller?.reason);

  constructor(host: string, timeout: number, caller: AbortSignal | undefined) {
    this.#host = host;
    this.#timeout = timeout;
    this.#caller = caller;
    if (caller?.aborted) this.#forward();
    caller?.addEventListener("abort", this.#forward);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for `step`, but no longer than without progress is allowed, even where a custom `fetch` ignores its signal. */
  async guard<Result>(step: Promise<Result>): Promise<Result> {
    const begin = performance.now();
    const timer = setTimeout(() => this.#controller.abort(this.#stalled()), this.#timeout - this.#waited);
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.signal.reason);
      if (this.signal.aborted) onAbort();
      else this.signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([step, aborted]);
    } finally {
      clearTimeout(timer);
      this.#waited += performance.now() - begin;
      if (onAbort !== undefined) this.signal.removeEventListener("abort", onAbort);
      step.catch(() => undefined);
    }
  }

  /** Headers arrived: progress by themselves. */
  answered(): void {
    this.#waited = 0;
    this.#arrived = 0;
  }

  arrived(bytes: number): void {
    this.#arrived += bytes;
    if (this.#arrived >= SLOWEST * this.#timeout) this.answered();
  }

  /** Ends what is under way. */
  stop(): void {
    this.#caller?.removeEventListener("abort", this.#forward);
    this.#controller.abort();
  }

  #stalled(): TransportError {
    const seconds = this.#timeout / 1000;
    const what = this.#arrived === 0 ? "nothing" : `no more than ${this.#arrived} bytes`;
    return new TransportError("stalled", this.#host, `${this.#host} stalled: ${what} arrived for ${seconds} s`);
  }
}
