/** The parts of `bench:roofline`: all dtypes and the machine's limits in turns, in the same rounds. */
import type { MatrixEncoding, WasmInfo } from "@gpt2-ts/tensor";
import type { ArithmeticKind } from "../harness/arithmetic.ts";
import { Child } from "../harness/child.ts";
import { interleave, type Schedule, type Side } from "../harness/interleave.ts";
import { type Spread, spread } from "../harness/statistics.ts";
import { side } from "../speed/compare.ts";
import type { Limits, RooflinePart, RooflinePartName } from "./result.ts";
import type { Profile, RooflineSpec } from "./roofline-child.ts";
import { summarizePass } from "./rows.ts";

export interface RooflinePlan {
  readonly node: string;
  readonly threads: number;
  readonly dtypes: readonly MatrixEncoding[];
  /** Of the prompt, the context before decoding, or all texts. */
  readonly tokens: Readonly<Record<RooflinePartName, number>>;
  readonly decodeTokens: number;
  readonly schedule: Schedule;
}

/** Passes over memory, or runs of the arithmetic loop, per sample; the best counts. */
const LIMIT_PASSES = 3;

const MODEL_CHILD = new URL("./roofline-child.js", import.meta.url);
const READ_CHILD = new URL("../harness/bandwidth-child.js", import.meta.url);
const ARITHMETIC_CHILD = new URL("../harness/arithmetic-child.js", import.meta.url);

type Measured = Pick<RooflinePart, "title" | "limits" | "passes" | "disturbed" | "foreign">;

export async function measureRoofline(part: RooflinePartName, model: string, plan: RooflinePlan): Promise<Measured> {
  const { node, threads, dtypes } = plan;
  const children: Child[] = [];
  const start = (name: string, module: URL, spec?: RooflineSpec): Child => {
    const child = new Child(name, { module, args: spec ? [JSON.stringify(spec)] : [], node });
    children.push(child);
    return child;
  };
  try {
    const models = dtypes.map(
      (dtype) => new ModelSide(start(dtype, MODEL_CHILD, { model, threads, dtype }), part, plan),
    );
    const { relaxedSimd, int8Products } = await models[0]!.child.call<WasmInfo>("info");
    const [floats, integers] = [
      relaxedSimd ? "fused" : "separate",
      int8Products === "words" ? "words" : "bytes",
    ] as const;
    const arithmetic = start("arithmetic", ARITHMETIC_CHILD);
    const peak = (kind: ArithmeticKind): Side => side(arithmetic, "sample", kind, threads, LIMIT_PASSES);
    const read = side(start("plain read", READ_CHILD), "sample", threads, LIMIT_PASSES);
    return await measureInTurns(models, [read, peak(floats), peak(integers)], part, plan);
  } finally {
    await Promise.all(children.map((child) => child.close()));
  }
}

async function measureInTurns(
  models: readonly ModelSide[],
  machine: readonly [read: Side, f32: Side, int8: Side],
  part: RooflinePartName,
  plan: RooflinePlan,
): Promise<Measured> {
  const { samples, disturbed, foreign } = await interleave([...machine, ...models], plan.schedule);
  const [memory, f32, int8] = samples.map(spread) as [Spread, Spread, Spread];
  const limits: Limits = { memory, arithmetic: { f32, int8 } };
  const passes = models.map((model, i) => {
    const profiles = model.profilesOf(samples[machine.length + i]!);
    return summarizePass(plan.dtypes[i]!, profiles, model.steps, limits);
  });
  return { title: titleOf(part, plan), limits, passes, disturbed, foreign };
}

function titleOf(part: RooflinePartName, { tokens, decodeTokens }: RooflinePlan): string {
  const count = tokens[part];
  switch (part) {
    case "prefill":
      return `prefill of ${count} tokens, logits of all`;
    case "decode":
      return `a token of decoding at context ${count} to ${count + decodeTokens}`;
    case "score":
      return `scoring texts of ${count} tokens together`;
  }
}

/** A model as a side: the samples that count are found by their times, and with them what the ops took. */
class ModelSide implements Side {
  readonly name: string;
  readonly child: Child;
  readonly steps: number;
  readonly #args: readonly unknown[];
  readonly #profiles = new Map<number, Profile>();

  constructor(child: Child, part: RooflinePartName, { tokens, decodeTokens }: RooflinePlan) {
    this.name = child.name;
    this.child = child;
    this.steps = part === "decode" ? decodeTokens : 1;
    this.#args = [part, tokens[part], decodeTokens];
  }

  async sample(): Promise<number> {
    const profile = await this.child.call<Profile>("profile", ...this.#args);
    this.#profiles.set(profile.milliseconds, profile);
    return profile.milliseconds;
  }

  cpuSeconds(): number {
    return this.child.cpuSeconds;
  }

  profilesOf(samples: readonly number[]): Profile[] {
    return samples.map((milliseconds) => this.#profiles.get(milliseconds)!);
  }
}
