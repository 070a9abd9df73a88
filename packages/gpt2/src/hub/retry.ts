import { pause } from "safetensors-ts/transport";
import { HubError } from "./error.ts";

/** How often to try again after a transient error, and how long to wait. */
export interface RetryPolicy {
  /** Retries in a row that may fail without progress. */
  readonly retries: number;
  /** Milliseconds before the first retry; doubles with each one, up to {@link MAX_DELAY}. */
  readonly delay: number;
}

/** One retry about to happen, for progress displays. */
export interface RetryNotice {
  readonly attempt: number;
  /** Milliseconds until the next try. */
  readonly delay: number;
  readonly error: HubError;
}

const MAX_DELAY = 10_000;
/** Longer waits than this are the user's decision, not ours. */
const MAX_RETRY_AFTER_SECONDS = 60;

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed `policy.retries` times in a row without progress.
 *
 * @param attempt gets a function to call when it made progress, which restores the full number of retries
 * @throws the last error of `attempt`; `signal.reason` when aborted
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (progressed: () => void) => Promise<T>,
  onRetry?: (notice: RetryNotice) => void,
): Promise<T> {
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt(() => {
        failures = 0;
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof HubError) || !error.transient) throw error;
      if (failures >= policy.retries || (error.retryAfter ?? 0) > MAX_RETRY_AFTER_SECONDS) throw error;
      const backoff = Math.min(policy.delay * 2 ** failures, MAX_DELAY) * (0.75 + Math.random() / 2);
      const delay = Math.max(backoff, (error.retryAfter ?? 0) * 1000);
      // A stall has taken its time already.
      failures += error.code === "stalled" ? 2 : 1;
      onRetry?.({ attempt: failures, delay, error });
      await pause(delay, signal);
    }
  }
}

/** Reads a `Retry-After` header: seconds, or a date. */
export function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
