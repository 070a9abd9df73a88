/**
 * `npm run bench:peers`: GPT-2's 124M shape in every precision we have, against the engines that one would use instead,
 * on the same weights, prompts and threads.
 *
 *     npm run bench:peers -- [--quick] [--node PATH] [--part decode|prefill|score|cold]... [--only ENGINE]... [--python PATH] [--no-wait]
 *
 * Installs the peers on first use, writes the checkpoint in each engine's format, and then
 * `results/<processor>/peers-node<major>.json`, where each part replaces what an earlier run found. Before each part it waits
 * until other programs are quiet, ten minutes at most. For half of the rounds the engines start in reverse order: whichever starts
 * first is slower. An engine that cannot be had here is reported as missing. `--quick` and `--only` only print: they do not wait
 * and write nothing. PyTorch takes part if `--python` (`python3`) has torch and transformers.
 */
import { parseArgs } from "node:util";
import { ensureCheckpoint } from "./checkpoint.ts";
import { COMMON_OPTIONS, chosen } from "./command-line.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { assemble, type Field } from "./peers/contestants.ts";
import { measurePart } from "./peers/measure.ts";
import { peersPlanFor } from "./peers/plan.ts";
import { PEER_PARTS, type PeerPart, type PeerPartName, type PeersResult } from "./peers/result.ts";
import { readResult, writeResult } from "./results-file.ts";

const { values: options } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    part: { type: "string", multiple: true, default: [...PEER_PARTS] },
    only: { type: "string", multiple: true, default: [] },
    python: { type: "string", default: "python3" },
  },
});
const parts = chosen("bench:peers", "part", options.part, PEER_PARTS);
const published = !options.quick && options.only.length === 0;
const plan = peersPlanFor(options.node, options.quick);
const { checkpoint, threads } = plan;
const field = chosenEngines(await assemble(await ensureCheckpoint(checkpoint), threads, options.python));
for (const { name, reason } of field.missing) console.warn(`${name} is missing: ${reason}`);

for (const part of parts) {
  console.log(`\n== ${part}`);
  const measured = await whenQuiet(
    { node: plan.node, wait: published && !options["no-wait"] },
    () => measurePart(part, plan, field),
    ({ comparisons }) => comparisons,
  );
  const { conditions, result } = measured;
  if (published) await store(part, { command: "npm run bench:peers", conditions, threads, ...result });
}

/** The engines that `--only` names, or all. */
function chosenEngines(all: Field): Field {
  if (options.only.length === 0) return all;
  const names = [...all.contestants, ...all.missing].map(({ name }) => name);
  const stranger = options.only.find((name) => !names.includes(name));
  if (stranger !== undefined) {
    console.error(`bench:peers: there is no engine ${stranger}; there are ${names.join(", ")}`);
    process.exit(2);
  }
  const named = ({ name }: { name: string }): boolean => options.only.includes(name);
  return { contestants: all.contestants.filter(named), missing: all.missing.filter(named) };
}

async function store(part: PeerPartName, measured: PeerPart): Promise<void> {
  const { conditions } = measured;
  const earlier = await readResult<PeersResult>("peers", conditions);
  const result: PeersResult = { kind: "peers", checkpoint, parts: { ...earlier?.parts, [part]: measured } };
  console.log(`\nwrote ${await writeResult("peers", conditions, result)}`);
}
