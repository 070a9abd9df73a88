/** Time from starting a process to its first token, and the peak of its memory. */
import type { FirstToken } from "../engines/language-child.ts";
import { untimed } from "../harness/interleave.ts";
import { compare, summarize } from "./compare.ts";
import { type Contestant, startEngine } from "./contestant.ts";
import type { Plan } from "./plan.ts";
import type { Comparison } from "./result.ts";

/** The weights and the modules are in the operating system's cache, for every engine alike: a first start is not counted. */
export async function measureColdStart(
  plan: Plan,
  contestants: readonly Contestant[],
): Promise<[time: Comparison, memory: Comparison]> {
  const peaks: number[][] = contestants.map(() => []);
  const cpuSeconds = contestants.map(() => 0);
  const sides = contestants.map((contestant, i) => ({
    name: contestant.name,
    async sample() {
      const start = performance.now();
      await using child = startEngine(contestant, plan.node);
      const { peakResidentBytes } = await child.call<FirstToken>("firstToken", plan.coldPrompt, plan.vocab);
      const seconds = (performance.now() - start) / 1000;
      cpuSeconds[i] = (cpuSeconds[i] ?? 0) + child.cpuSeconds;
      peaks[i]?.push(peakResidentBytes);
      return seconds;
    },
    cpuSeconds: () => cpuSeconds[i] ?? 0,
  }));
  for (const side of sides) await side.sample();
  for (const list of peaks) list.length = 0;
  const title = `first token behind ${plan.coldPrompt}, from the start of the process`;
  const schedule = { ...plan.schedule, warmUp: 0, rounds: plan.coldRounds };
  const time = await compare({ title, unit: "s", higherIsBetter: false }, sides, schedule);
  const memory = summarize(
    { title: "peak resident memory until the first token", unit: "bytes", higherIsBetter: false },
    contestants.map(({ name }) => name),
    untimed(peaks.map((list) => list.slice(0, plan.coldRounds))),
  );
  return [time, memory];
}
