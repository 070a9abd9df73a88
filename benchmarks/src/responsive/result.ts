/** What `bench:responsive` writes to `results/<processor>/responsive-node*.json`. */
import type { RunConditions } from "../harness/machine.ts";
import type { Spread } from "../harness/statistics.ts";

/** What is asked of a model. */
export const TASKS = ["load", "prompt", "score", "scoreAll"] as const;
export type Task = (typeof TASKS)[number];

/** Where the model runs, and how the calling thread fares meanwhile. */
export interface Responsiveness {
  /** `"calling thread"`, `"worker"`, or those of an earlier build. */
  readonly where: string;
  /** Seconds that each task takes, and the longest time that it holds the event loop, in milliseconds. */
  readonly tasks: Readonly<Record<Task, { readonly seconds: Spread; readonly heldMs: Spread }>>;
  /** Milliseconds from when scoring was to be aborted until it has ended. */
  readonly abortMs: Spread;
}

export interface ResponsiveResult {
  readonly kind: "responsive";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly threads: number;
  readonly checkpoint: string;
  /** The commit of the earlier build, if there is one. */
  readonly base: string | undefined;
  readonly subjects: readonly Responsiveness[];
  /** Time of this build on the calling thread divided by that of the earlier one, pair by pair. */
  readonly against: Readonly<Partial<Record<Task, Spread>>>;
}
