/**
 * `npm run bench:against`: this build against that of another revision, in turns, on the same weights and prompts.
 *
 *     npm run bench:against -- --base REVISION [--only prefill|decode|score|cold|bundle]... [--dtype f32|bf16|int8]...
 *                              [--cache-dtype f32|bf16|int8] [--context N]... [--rounds N] [--floor RATIO] [--node PATH] [--no-wait]
 *
 * Builds the revision in `.cache/against/` on first use. Ratios say how much better this build is: above 1 where it is
 * faster, or smaller. `--context` says how many tokens come before those whose decoding is timed,
 * `--cache-dtype` how this build keeps keys and values. Exits with status 1 when
 * the median of a ratio is below the floor (0.98). Writes `results/<processor>/against-node<major>.json`. It waits first until
 * other programs are quiet, ten minutes at most. With `--only`, `--dtype`, `--cache-dtype` or `--context` it only prints: it does not wait and
 * writes nothing.
 */
import { parseArgs } from "node:util";
import { buildOf, thisBuild } from "./against/build.ts";
import { measureBundles, measureDtype } from "./against/measure.ts";
import { AGAINST_PARTS, type AgainstResult, type Measurement } from "./against/result.ts";
import { againstTable, belowFloor } from "./against/verdict.ts";
import { ensureCheckpoint } from "./checkpoint.ts";
import { chosen, decimal, integer } from "./command-line.ts";
import type { LogitQuality } from "./engines/language-checks.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { mixedLengths, peersPlanFor } from "./peers/plan.ts";
import { writeResult } from "./results-file.ts";
import { LONGEST_CONTEXT } from "./speed/plan.ts";
import { writeSyntheticVocabulary } from "./synthetic-tokenizer.ts";

const COMMAND = "bench:against";
const DTYPES = ["f32", "bf16", "int8"] as const;
const ROUNDS = 7;
const FLOOR = 0.98;
/** About three seconds a sample in float32. */
const TEXTS = 50;

const { values: options } = parseArgs({
  options: {
    base: { type: "string" },
    only: { type: "string", multiple: true, default: [...AGAINST_PARTS] },
    dtype: { type: "string", multiple: true, default: [...DTYPES] },
    context: { type: "string", multiple: true },
    "cache-dtype": { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    floor: { type: "string" },
    node: { type: "string", default: process.execPath },
    "no-wait": { type: "boolean", default: false },
  },
});
if (options.base === undefined) {
  console.error(`${COMMAND}: --base is missing: the revision to measure against`);
  process.exit(2);
}
const parts = chosen(COMMAND, "only", options.only, AGAINST_PARTS);
const dtypes = chosen(COMMAND, "dtype", options.dtype, DTYPES);
const rounds = integer(COMMAND, "rounds", options.rounds, 1, 1000) ?? ROUNDS;
const floor = decimal(COMMAND, "floor", options.floor, 0, 10) ?? FLOOR;
const contexts = options.context?.map((context) => integer(COMMAND, "context", context, 1, LONGEST_CONTEXT - 1)!);
const [cacheDtype] = chosen(COMMAND, "cache-dtype", options["cache-dtype"], DTYPES);
const chosenFew = parts.length < AGAINST_PARTS.length || dtypes.length < DTYPES.length;
const forALook = chosenFew || contexts !== undefined || cacheDtype !== undefined;

const pair = { current: thisBuild(), base: buildOf(options.base) };
const usual = peersPlanFor(options.node, false);
const plan = {
  ...usual,
  schedule: { ...usual.schedule, rounds },
  coldRounds: rounds,
  textLengths: mixedLengths(TEXTS),
  decodeContexts: contexts ?? [usual.decodeContext],
  cacheDtype,
};
console.log(
  `${pair.current.sha.slice(0, 7)}${pair.current.changed ? " and changes" : ""} against ${pair.base.sha.slice(0, 7)}, ` +
    `${plan.threads} threads each, ${rounds} pairs`,
);

const { conditions, result: measured } = await whenQuiet(
  { node: plan.node, wait: !(forALook || options["no-wait"]) },
  measure,
  ({ measurements }) => measurements.map(({ comparison }) => comparison),
);
const { measurements, quality } = measured;

console.log(`\n${againstTable(measurements)}`);
if (!forALook) {
  const { base, current } = pair;
  const result: AgainstResult = {
    kind: "against",
    command: `npm run ${COMMAND}`,
    conditions,
    threads: plan.threads,
    checkpoint: plan.checkpoint,
    base: { sha: base.sha, changed: base.changed },
    current: { sha: current.sha, changed: current.changed },
    floor,
    quality,
    measurements,
  };
  console.log(`\nwrote ${await writeResult("against", conditions, result)}`);
}
const worse = belowFloor(measurements, floor);
for (const line of worse) console.error(`FAILED: ${line}, below ${floor}`);
process.exit(worse.length === 0 ? 0 : 1);

async function measure(): Promise<Pick<AgainstResult, "measurements"> & { quality: Record<string, LogitQuality> }> {
  const measurements: Measurement[] = [];
  const quality: Record<string, LogitQuality> = {};
  if (parts.some((part) => part !== "bundle")) {
    const folder = await ensureCheckpoint(plan.checkpoint);
    await writeSyntheticVocabulary(folder);
    for (const dtype of dtypes) {
      console.log(`\n== ${dtype}`);
      const measured = await measureDtype(plan, pair, folder, dtype, parts);
      measurements.push(...measured.measurements);
      Object.assign(quality, measured.quality);
    }
  }
  if (parts.includes("bundle")) measurements.push(...(await measureBundles(pair)));
  return { measurements, quality };
}
