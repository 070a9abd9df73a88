import { TransportError } from "./failure.ts";

export interface RetryOptions {
  /** How often a request that broke off is continued, or one that failed for the moment repeated. Default 3. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first retry, doubling after. Default 300. */
  readonly retryDelay?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The tries that are left to a request, and the pause before the next one. */
export class Retries {
  #left: number;
  #delay: number;
  readonly #signal: AbortSignal | undefined;

  constructor({ retries = 3, retryDelay = 300, signal }: RetryOptions) {
    this.#left = retries;
    this.#delay = retryDelay;
    this.#signal = signal;
  }

  /** Waits before another try. Throws `error` if that would be in vain, or once too often; it is a TransportError or caused by one. */
  async after(error: unknown): Promise<void> {
    const cause = error instanceof Error && !(error instanceof TransportError) ? error.cause : error;
    if (!(cause instanceof TransportError) || !cause.isTransient) throw error;
    // A stall has taken its time already.
    this.#left -= cause.code === "stalled" ? 2 : 1;
    if (this.#left < 0) throw error;
    await pause(this.#delay, this.#signal);
    this.#delay *= 2;
  }
}

/** Tries until it succeeds, or fails for good or once too often. */
export async function retrying<Result>(options: RetryOptions, attempt: () => Promise<Result>): Promise<Result> {
  const retries = new Retries(options);
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      await retries.after(error);
    }
  }
}

/** Waits. Rejects with the signal's reason when that comes first. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
  });
}
