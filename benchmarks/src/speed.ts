/**
 * `npm run bench:speed`: ours against its peers in one run, on the same weights, threads and prompts.
 *
 *     npm run bench:speed -- [--quick] [--node PATH] [--part prefill|decode|cold|matmul]... [--no-peers] [--context N]
 *                            [--no-wait]
 *
 * Installs the peers on first use, rebuilds the 124M checkpoint, and writes `results/<processor>/speed-node<major>.json`, where
 * each part replaces what an earlier run found. `--context` says how many tokens come before those whose decoding is timed.
 * Before each part it waits until other programs are quiet, ten minutes at most. `--quick`, `--no-peers` and `--context` only
 * print: they do not wait and write nothing.
 */
import { parseArgs } from "node:util";
import { ensureCheckpoint, readManifest, weightBytes } from "./checkpoint.ts";
import { COMMON_OPTIONS, chosen, integer } from "./command-line.ts";
import type { MatmulSpec } from "./engines/matmul-engine.ts";
import { installPeers } from "./engines/peers.ts";
import { runConditions } from "./harness/machine.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { readResult, writeResult } from "./results-file.ts";
import { measureColdStart } from "./speed/cold-start.ts";
import { OURS, show } from "./speed/compare.ts";
import type { Contestant } from "./speed/contestant.ts";
import { measureDecode, measurePrefill } from "./speed/language.ts";
import { measureMatmul } from "./speed/matmul.ts";
import { decodingAt, LONGEST_CONTEXT, planFor } from "./speed/plan.ts";
import { type DecodePart, PARTS, type Part, type PartName, type SpeedResult } from "./speed/result.ts";

const { values: options } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    part: { type: "string", multiple: true, default: [...PARTS] },
    "no-peers": { type: "boolean", default: false },
    context: { type: "string" },
  },
});
const parts = chosen("bench:speed", "part", options.part, PARTS);
const context = integer("bench:speed", "context", options.context, 1, LONGEST_CONTEXT - 1);
const usual = planFor(options.node, options.quick);
const plan = context === undefined ? usual : decodingAt(usual, context);
const { threads, checkpoint } = plan;
const withPeers = !options["no-peers"];
const published = withPeers && !options.quick && context === undefined;
if (withPeers) installPeers();

const folder = await ensureCheckpoint(checkpoint);
const conditions = await runConditions(plan.node);
const { machine, node } = conditions;
console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.simd.join(" ")}, Node ${node}, ${threads} threads each`);

const languages = await languageContestants(folder);
const prefill = wants("prefill") ? await quietly(() => measurePrefill(plan, languages)) : undefined;
const decode = wants("decode") ? await measureDecodePart() : undefined;
const cold = wants("cold")
  ? await quietly(async () => ({ engines: [], comparisons: await measureColdStart(plan, languages) }))
  : undefined;
const matmul = wants("matmul") ? await quietly(() => measureMatmul(plan, matmulContestants())) : undefined;

if (published) {
  const result: SpeedResult = {
    ...(await readResult<SpeedResult>("speed", conditions)),
    kind: "speed",
    ...(prefill && { prefill }),
    ...(decode && { decode }),
    ...(cold && { cold }),
    ...(matmul && { matmul }),
  };
  console.log(`\nwrote ${await writeResult("speed", conditions, result)}`);
}

function wants(part: PartName): boolean {
  return parts.includes(part);
}

async function measureDecodePart(): Promise<DecodePart> {
  const total = weightBytes(await readManifest(checkpoint));
  const measured = await quietly(() => measureDecode(plan, languages, total));
  for (const { engine, share } of measured.shareOfPlainRead) {
    console.log(`  ${engine} reads its weights at ${show(share.median * 100)} % of a plain read`);
  }
  return { ...measured, checkpoint, weightBytes: total };
}

async function quietly<Measured extends Pick<Part, "comparisons">>(measure: () => Promise<Measured>) {
  const wait = published && !options["no-wait"];
  const { conditions, result } = await whenQuiet({ node: plan.node, wait }, measure, ({ comparisons }) => comparisons);
  return { command: "npm run bench:speed", conditions, threads, ...result };
}

async function languageContestants(model: string): Promise<Contestant[]> {
  const ours: Contestant = { name: OURS, spec: { engine: "gpt2-ts", model, threads, device: "wasm" } };
  if (!withPeers) return [ours];
  const { writeOnnxModel } = await import("./onnx/model-file.ts");
  const file = await writeOnnxModel(model);
  const peers = ["onnxruntime-node", "onnxruntime-web"] as const;
  return [ours, ...peers.map((engine) => ({ name: engine, spec: { engine, model, threads, file } }))];
}

function matmulContestants(): Contestant<MatmulSpec>[] {
  const ours: Contestant<MatmulSpec>[] = [
    { name: OURS, spec: { engine: "gpt2-ts", threads } },
    { name: `${OURS}, 1 thread`, spec: { engine: "gpt2-ts", threads: 1 } },
  ];
  if (!withPeers) return ours;
  return [...ours, ...(["jax-js", "tfjs"] as const).map((engine) => ({ name: engine, spec: { engine, threads: 1 } }))];
}
