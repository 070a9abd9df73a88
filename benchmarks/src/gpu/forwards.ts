/** A prompt's forward pass on the gpu device: kernel by kernel, and compiled into one pipeline. */
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import { Child } from "../harness/child.ts";
import { interleave } from "../harness/interleave.ts";
import { spread } from "../harness/statistics.ts";
import { SHAKESPEARE } from "../paths.ts";
import { show } from "../speed/compare.ts";
import type { PassCounts, Way } from "./forward-child.ts";
import type { ForwardTime, GpuResult } from "./result.ts";

const FORWARD_CHILD = new URL("./forward-child.js", import.meta.url);
const WAYS: readonly Way[] = ["kernel by kernel", "compiled"];
const TOKENS = 64;
const ROUNDS = 5;
/** The same kernels in the same order: hardly any difference. */
const DIFFERENCE_BOUND = 1e-4;

export async function measureForwards(
  modes: readonly GpuMode[],
  node: string,
): Promise<NonNullable<GpuResult["forwards"]>> {
  const times: ForwardTime[] = [];
  console.log(`\nforward pass of ${TOKENS} tokens of the Shakespeare model [ms]`);
  for (const mode of modes) {
    await using child = new Child(mode, { module: FORWARD_CHILD, args: [], node });
    await child.call("open", mode, SHAKESPEARE, TOKENS);
    const difference = await child.call<number>("difference");
    if (!(difference < DIFFERENCE_BOUND)) throw new Error(`${mode}: compiled, logits change by ${difference}`);
    const sides = WAYS.map((way) => ({
      name: way,
      sample: () => child.call<number>("sample", way),
      cpuSeconds: () => child.cpuSeconds,
    }));
    const { samples } = await interleave(sides, { warmUp: 0, rounds: ROUNDS, restMs: 100 });
    for (const [i, way] of WAYS.entries()) {
      const counts = await child.call<PassCounts>("counts", way);
      const milliseconds = spread(samples[i] ?? []);
      times.push({ mode, way, milliseconds, ...counts });
      const { launches, submissions, uploads, readbacks } = counts;
      const submitted = submissions === undefined ? "" : `${submissions} submissions, `;
      console.log(
        `  ${`${mode}, ${way}`.padEnd(28)} ${show(milliseconds.median).padStart(7)}   ` +
          `${launches} kernels, ${submitted}${uploads} uploads, ${readbacks} readbacks   ${counts.executor}`,
      );
    }
  }
  return { model: "shakespeare", tokens: TOKENS, times };
}
