import type { Logprobs } from "../model/logprobs.ts";

/** Consecutive tokens of one sequence that the model sees at once. */
export interface Window {
  readonly sequence: number;
  /** Where in its sequence the window begins. */
  readonly start: number;
  readonly ids: readonly number[];
  /** The first token of the window that is scored in it. */
  readonly firstScored: number;
}

/** How windows are put together into passes, and how a pass is run. */
export interface Passes {
  /** Whether a pass with these windows (at least one) has room for the next one. */
  takes(windows: readonly Window[], next: Window): boolean;
  /**
   * The log-probabilities of the windows' scored tokens, window after window.
   *
   * @throws `signal.reason` when aborted
   */
  run(windows: readonly Window[], signal: AbortSignal | undefined): Promise<Logprobs>;
}
