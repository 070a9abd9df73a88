/** Timings wait until other programs are quiet, and say so where they were not. */
import { setTimeout as pause } from "node:timers/promises";
import { type RunConditions, runConditions, type Surroundings } from "./machine.ts";
import { FOREIGN_BOUND, ForeignLoad } from "./processor-time.ts";

/** The machine as a wait sees it. */
export interface Observer {
  /** Watches for a few seconds: the share that other programs took. */
  foreignShare(): Promise<number>;
  /** Milliseconds. */
  now(): number;
  say(line: string): void;
}

const WATCH_MS = 3000;
/** A pause between two steps of another program is not quiet yet. */
const QUIET_IN_A_ROW = 2;
const PATIENCE_MS = 10 * 60_000;
const SAY_EVERY_MS = 30_000;

const machine: Observer = {
  async foreignShare() {
    const load = new ForeignLoad();
    await pause(WATCH_MS);
    return load.share(0);
  },
  now: () => performance.now(),
  say: (line) => console.log(line),
};

/**
 * Returns what other programs took last, once that was below the bound twice in a row, or after ten minutes of patience. With
 * `wait` false it only looks.
 */
export async function waitForQuiet(
  wait: boolean,
  observer: Observer = machine,
): Promise<Pick<Surroundings, "waitedSeconds" | "before">> {
  const start = observer.now();
  let said = Number.NEGATIVE_INFINITY;
  for (let quiet = 0; ; ) {
    const before = await observer.foreignShare();
    const waited = observer.now() - start;
    quiet = before <= FOREIGN_BOUND ? quiet + 1 : 0;
    if (!wait || quiet === QUIET_IN_A_ROW || waited >= PATIENCE_MS) {
      return { waitedSeconds: wait ? Math.round(waited / 1000) : 0, before };
    }
    if (quiet === 0 && observer.now() - said >= SAY_EVERY_MS) {
      const minutes = Math.ceil((PATIENCE_MS - waited) / 60_000);
      observer.say(
        `other programs take ${percent(before)} of the processor; waiting until it is below ${percent(FOREIGN_BOUND)}, ` +
          `at most ${minutes} min more (--no-wait starts at once)`,
      );
      said = observer.now();
    }
  }
}

/** Measures on a machine as quiet as can be had; with the result comes what else it did, which is printed where it disturbs. */
export async function whenQuiet<Result>(
  { node, wait }: { readonly node: string; readonly wait: boolean },
  measure: () => Promise<Result>,
  /** The quantities, each with what other programs took during its samples. */
  quantities: (result: Result) => readonly { readonly foreign?: number }[],
  observer: Observer = machine,
): Promise<{ conditions: RunConditions; result: Result }> {
  const { waitedSeconds, before } = await waitForQuiet(wait, observer);
  const conditions = await runConditions(node);
  const result = await measure();
  const during = Math.max(0, ...quantities(result).map(({ foreign = 0 }) => foreign));
  const after = await observer.foreignShare();
  const disturbed = Math.max(before, during, after) > FOREIGN_BOUND;
  const surroundings = { waitedSeconds, ...rounded({ before, during, after }), disturbed };
  if (disturbed) observer.say(`\nThis run was ${describeSurroundings(surroundings)}.`);
  return { conditions: { ...conditions, surroundings }, result };
}

/** `"disturbed: other programs took 12 % of the processor before, 31 % during, 0 % after"`. */
export function describeSurroundings({ before, during, after, disturbed }: Surroundings): string {
  const shares = `${percent(before)} of the processor before, ${percent(during)} during, ${percent(after)} after`;
  return `${disturbed ? "disturbed: " : ""}other programs took ${shares}`;
}

function rounded<Shares extends Record<string, number>>(shares: Shares): Shares {
  return Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, Number(share.toFixed(3))])) as Shares;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
