/**
 * `npm run bench:speed`: ours against its peers in one run, on the same weights, threads and prompts.
 *
 *     npm run bench:speed -- [--quick] [--node PATH] [--part language|cold|matmul]... [--no-peers]
 *
 * Installs the peers on first use, rebuilds the 124M checkpoint, and writes `results/speed-node<major>.json`.
 */
import { parseArgs } from "node:util";
import { ensureCheckpoint, readManifest, weightBytes } from "./checkpoint.ts";
import type { EngineSpec } from "./engines/language-engine.ts";
import type { MatmulSpec } from "./engines/matmul-engine.ts";
import { installPeers } from "./engines/peers.ts";
import { runConditions } from "./harness/machine.ts";
import { writeResult } from "./results-file.ts";
import { measureColdStart } from "./speed/cold-start.ts";
import { OURS, show } from "./speed/compare.ts";
import { type Contestant, measureLanguage } from "./speed/language.ts";
import { measureMatmul } from "./speed/matmul.ts";
import { type Plan, planFor } from "./speed/plan.ts";
import type { SpeedResult } from "./speed/result.ts";

const PARTS = ["language", "cold", "matmul"];
/** Something else is running from about here on. */
const BUSY_LOAD = 0.7;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", default: process.execPath },
    part: { type: "string", multiple: true, default: PARTS },
    "no-peers": { type: "boolean", default: false },
  },
});
const unknown = options.part.find((part) => !PARTS.includes(part));
if (unknown !== undefined) {
  console.error(`bench:speed: there is no part ${unknown}; there are ${PARTS.join(", ")}`);
  process.exit(2);
}
const plan = planFor(options.node, options.quick);
const withPeers = !options["no-peers"];
if (withPeers) installPeers();

const folder = await ensureCheckpoint(plan.checkpoint);
const conditions = await runConditions(plan.node);
const { machine, node, loadAverage } = conditions;
console.log(
  `${machine.cpu}, ${machine.cores} cores, ${machine.simd.join(" ")}, Node ${node}, ${plan.threads} threads each`,
);
if (loadAverage > BUSY_LOAD) console.warn(`Load average ${loadAverage}: something else is running; expect noise.`);

const total = weightBytes(await readManifest(plan.checkpoint));
const languages = await languageContestants(plan, folder);
const language = options.part.includes("language") ? await measureLanguage(plan, languages, total) : undefined;
const cold = options.part.includes("cold") ? await measureColdStart(plan, languages) : [];
const matmul = options.part.includes("matmul") ? await measureMatmul(plan, matmulContestants(plan)) : undefined;

for (const { engine, share } of language?.decodeShareOfBandwidth ?? []) {
  console.log(`decode of ${engine}: ${show(share.median * 100)} % of a plain read`);
}
const result: SpeedResult = {
  kind: "speed",
  command: ["npm run bench:speed", ...process.argv.slice(2)].join(" "),
  conditions,
  threads: plan.threads,
  checkpoint: plan.checkpoint,
  weightBytes: total,
  engines: [...(language?.engines ?? []), ...(matmul?.engines ?? [])],
  comparisons: [...(language?.comparisons ?? []), ...cold, ...(matmul?.comparisons ?? [])],
  decodeShareOfBandwidth: language?.decodeShareOfBandwidth ?? [],
  peakResident: language?.peakResident ?? [],
};
// A quick or partial run is a look: only whole runs become the published numbers.
const kind = options.quick || !withPeers || options.part !== PARTS ? "speed-partial" : "speed";
console.log(`\nwrote ${await writeResult(kind, node, result)}`);

async function languageContestants({ threads }: Plan, model: string): Promise<Contestant<EngineSpec>[]> {
  const ours: Contestant<EngineSpec> = { name: OURS, spec: { engine: "gpt2-ts", model, threads, device: "wasm" } };
  if (!withPeers) return [ours];
  const { writeOnnxModel } = await import("./onnx/model-file.ts");
  const onnxFile = await writeOnnxModel(model);
  const peers = ["onnxruntime-node", "onnxruntime-web"] as const;
  return [ours, ...peers.map((engine) => ({ name: engine, spec: { engine, model, threads, onnxFile } }))];
}

function matmulContestants({ threads }: Plan): Contestant<MatmulSpec>[] {
  const ours: Contestant<MatmulSpec>[] = [
    { name: OURS, spec: { engine: "gpt2-ts", threads } },
    { name: `${OURS}, 1 thread`, spec: { engine: "gpt2-ts", threads: 1 } },
  ];
  if (!withPeers) return ours;
  return [...ours, ...(["jax-js", "tfjs"] as const).map((engine) => ({ name: engine, spec: { engine, threads: 1 } }))];
}
