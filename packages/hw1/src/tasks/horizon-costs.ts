import { type Context, type GPT2, nextToken } from "@gpt2-ts/gpt2";
import { median } from "../median.ts";
import type { HorizonCosts } from "../results.ts";
import { batchedLookahead } from "../sample.ts";
import { type Lookahead, temperatureScale, twoTokenScale } from "../temperature.ts";

const ROUNDS = 9;

/** Steps in a row whose mean is one measurement: a single pass after a rest pays for waking the threads. */
const SERIES = { plain: 16, horizon2: 4, naive: 1 } as const;

/**
 * What one more token costs after a prefix (its last token being the one that a step begins with): by plain sampling, by
 * horizon 2 as one batch, and by horizon 2 with one pass for each candidate. The three are measured in turns, each as the
 * mean of some steps in a row, and the medians are told.
 */
export async function measureHorizonCosts(
  model: GPT2,
  prefix: readonly number[],
  { topK, temperature, signal }: { topK: number; temperature: number; signal?: AbortSignal | undefined },
): Promise<HorizonCosts> {
  using context = model.context();
  const last = prefix.slice(-1);
  if (prefix.length > 1) await context.append(prefix.slice(0, -1), { signal });
  const batched = batchedLookahead(context, signal);
  const oneByOne: Lookahead = async (candidates) => {
    const results: ArrayLike<number>[] = [];
    for (const id of candidates) results.push(...(await batched([id])));
    return results;
  };
  const steps = {
    plain: (logits: Float32Array) => nextToken(temperatureScale(logits, { temperature }), { topK }),
    horizon2: (logits: Float32Array) => twoTokenScale(logits, { temperature, topK, lookahead: batched }),
    naive: (logits: Float32Array) => twoTokenScale(logits, { temperature, topK, lookahead: oneByOne }),
  };
  const seconds: Record<keyof typeof steps, number[]> = { plain: [], horizon2: [], naive: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of ["plain", "horizon2", "naive"] as const) {
      const took = await timeSteps(SERIES[name], context, last, steps[name], signal);
      if (round > 0) seconds[name].push(took); // the first round warms up
    }
  }
  return {
    k: Math.min(topK, model.config.vocabSize),
    prefix: prefix.length,
    plain: median(seconds.plain)!,
    horizon2: median(seconds.horizon2)!,
    naive: median(seconds.naive)!,
  };
}

/** Appends the last token, computes what the next is drawn from, and takes the token back: seconds for one such step. */
async function timeSteps(
  count: number,
  context: Context,
  last: readonly number[],
  step: (logits: Float32Array) => unknown,
  signal: AbortSignal | undefined,
): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    await step(await context.append(last, { signal }));
    context.truncate(context.length - last.length);
  }
  return (performance.now() - began) / 1000 / count;
}
