/** From samples and limits to rows: medians, and how close each op comes to the machine's limits. */
import type { MatrixEncoding, OpTime } from "@gpt2-ts/tensor";
import { spread } from "../harness/statistics.ts";
import type { Limits, RooflinePass, RooflineRow } from "./result.ts";
import type { Profile } from "./roofline-child.ts";

/** @param profiles samples of the same passes, of `steps` steps each; figures are for one step */
export function summarizePass(
  dtype: MatrixEncoding,
  profiles: readonly Profile[],
  steps: number,
  limits: Limits,
): RooflinePass {
  const first = profiles[0]?.ops ?? [];
  const rows = first.map((op, i) =>
    rowOf(
      op,
      profiles.map(({ ops }) => sameOp(ops[i], op).milliseconds / steps),
      steps,
      limits,
    ),
  );
  const totals = profiles.map(({ milliseconds }) => milliseconds / steps);
  const outside = profiles.map(({ milliseconds, ops }) => (milliseconds - sum(ops, (op) => op.milliseconds)) / steps);
  const milliseconds = spread(totals);
  const ideal = sum(rows, (row) => row.share * row.milliseconds.median);
  return { dtype, milliseconds, rows, outside: spread(outside), share: ideal / milliseconds.median };
}

function rowOf(op: OpTime, samples: readonly number[], steps: number, limits: Limits): RooflineRow {
  const milliseconds = spread(samples);
  const [calls, operations, bytes] = [op.calls / steps, op.operations / steps, op.bytes / steps];
  // Milliseconds at 10⁹ a second.
  const toMove = bytes / 1e6 / limits.memory.median;
  const toCompute = operations / 1e6 / limits.arithmetic[op.arithmetic].median;
  return {
    ...op,
    calls,
    operations,
    bytes,
    milliseconds,
    limit: toMove >= toCompute ? "memory" : "arithmetic",
    share: Math.max(toMove, toCompute) / milliseconds.median,
  };
}

function sameOp(found: OpTime | undefined, expected: OpTime): OpTime {
  if (found?.title === expected.title && found.shape === expected.shape) return found;
  throw new Error(`a pass ran ${found?.title} ${found?.shape} where another ran ${expected.title} ${expected.shape}`);
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
