/** The table of `bench:responsive`. */
import type { Spread } from "../harness/statistics.ts";
import { type ResponsiveResult, TASKS, type Task } from "../responsive/result.ts";
import { newest, type ProcessorResults } from "../results-file.ts";
import { provenance } from "./figures.ts";
import { table } from "./markdown.ts";

const NAMES: Readonly<Record<Task, string>> = {
  load: "loading",
  prompt: "a prompt of 512 tokens, 8 more",
  score: "`score`, 1,023 tokens",
  scoreAll: "`scoreAll`, 16 texts of 100 tokens",
};

export function responsiveTable(all: readonly ProcessorResults<ResponsiveResult>[]): string | undefined {
  const shown = newest(all).at(-1);
  if (shown === undefined) return undefined;
  const { subjects } = shown;
  const head = ["the event loop is held for", ...subjects.map(({ where }) => where)];
  const rows = TASKS.map((task) => [NAMES[task], ...subjects.map(({ tasks }) => milliseconds(tasks[task].heldMs))]);
  const abort = ["an abort of `score` is obeyed after", ...subjects.map(({ abortMs }) => milliseconds(abortMs))];
  const ratios = TASKS.filter((task) => shown.against[task]).map(
    (task) => `${NAMES[task]} ${shown.against[task]!.median.toFixed(3)}`,
  );
  const against = `Time taken on the calling thread, with the pauses, as a share of that before: ${ratios.join("; ")}.`;
  return [table(head, [...rows, abort]), ...(ratios.length > 0 ? [against] : []), provenance(shown)].join("\n\n");
}

/** The median of the rounds, and the largest of them. */
function milliseconds({ median, max }: Spread): string {
  return `${median.toFixed(0)} ms (at most ${max.toFixed(0)})`;
}
