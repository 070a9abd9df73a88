/**
 * `npm run bench:train`: training against its peers in one run, on the same weights, tokens and threads.
 *
 *     npm run bench:train -- [--quick] [--node PATH] [--part 124m|stories|block]... [--python PATH] [--no-wait]
 *
 * `124m` and `stories` take whole steps (forward, backward, clipping, AdamW) of GPT-2 small at 512 tokens and of the shipped
 * model, against PyTorch, if `--python` (`python3`) has torch and transformers. `block` computes one of GPT-2 small's
 * blocks forward and backward, against TensorFlow.js and jax-js on wasm, which are installed on first use (jax-js needs Node 22), and
 * PyTorch. Engines must agree on losses and gradients before they are timed. Writes `results/<processor>/train-node<major>.json`,
 * where each part replaces what an earlier run found. Before each part it waits until other programs are quiet, ten minutes at most.
 * `--quick` only prints: it does not wait and writes nothing.
 */
import { parseArgs } from "node:util";
import { modelFolder } from "./checkpoint.ts";
import { chosen } from "./command-line.ts";
import type { BlockSpec } from "./engines/block.ts";
import { installPeers } from "./engines/peers.ts";
import type { StepSpec } from "./engines/step-engine.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { readResult, writeResult } from "./results-file.ts";
import { OURS } from "./speed/compare.ts";
import type { Contestant } from "./speed/contestant.ts";
import { measureBlock, measureSteps } from "./train/measure.ts";
import { trainPlanFor } from "./train/plan.ts";
import { TRAIN_PARTS, type TrainPart, type TrainPartName, type TrainResult } from "./train/result.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", default: process.execPath },
    part: { type: "string", multiple: true, default: [...TRAIN_PARTS] },
    python: { type: "string", default: "python3" },
    "no-wait": { type: "boolean", default: false },
  },
});
const parts = chosen("bench:train", "part", options.part, TRAIN_PARTS);
const published = !options.quick;
const plan = trainPlanFor(options.node, options.quick);
const { threads } = plan;
const { python } = options;

for (const part of parts) {
  console.log(`\n== ${part}`);
  const contest = await prepare(part);
  const { conditions, result } = await whenQuiet(
    { node: plan.node, wait: published && !options["no-wait"] },
    contest,
    ({ comparisons }) => comparisons,
  );
  if (published) await store(part, { command: "npm run bench:train", conditions, threads, ...result });
}

/** Installs and writes what a part needs; returns the measurement. */
async function prepare(part: TrainPartName) {
  if (part === "block") {
    installPeers();
    return () => measureBlock(plan, blockContestants());
  }
  const model = await modelFolder(part === "124m" ? "synthetic-124m" : part);
  return () => measureSteps(plan, part, stepContestants(model));
}

function blockContestants(): Contestant<BlockSpec>[] {
  return [
    { name: OURS, spec: { engine: "gpt2-ts", threads } },
    { name: `${OURS}, 1 thread`, spec: { engine: "gpt2-ts", threads: 1 } },
    { name: "tfjs", spec: { engine: "tfjs", threads: 1 } },
    { name: "jax-js", spec: { engine: "jax-js", threads: 1 } },
    { name: "PyTorch", spec: { engine: "PyTorch", threads, python } },
  ];
}

function stepContestants(model: string): Contestant<StepSpec>[] {
  return [
    { name: OURS, spec: { engine: "gpt2-ts", model, threads } },
    { name: "PyTorch", spec: { engine: "PyTorch", model, threads, python } },
  ];
}

async function store(part: TrainPartName, measured: TrainPart): Promise<void> {
  const { conditions } = measured;
  const earlier = await readResult<TrainResult>("train", conditions);
  const result: TrainResult = { kind: "train", parts: { ...earlier?.parts, [part]: measured } };
  console.log(`\nwrote ${await writeResult("train", conditions, result)}`);
}
