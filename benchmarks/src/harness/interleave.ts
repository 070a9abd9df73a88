/** Interleaved measurement: A B C A B C …, one sample of each side at a time. */
import { setTimeout as pause } from "node:timers/promises";
import { FOREIGN_BOUND, ForeignLoad } from "./processor-time.ts";

/** Something that yields one sample on request, and is idle in between. */
export interface Side {
  readonly name: string;
  sample(): Promise<number>;
  /** Processor seconds that its process had used at the end of its last sample. */
  cpuSeconds(): number;
}

export interface Schedule {
  /** Rounds that are thrown away first. */
  readonly warmUp: number;
  readonly rounds: number;
  /** Milliseconds of rest before each sample, until the other side's threads stop spinning. */
  readonly restMs: number;
}

export interface Rounds {
  /** One list per side, in the order of the sides; entry i of each list comes from round i. */
  readonly samples: readonly number[][];
  /** Samples that were taken again because other programs were running. */
  readonly repeated: number;
  /** Samples that count although other programs were running, because repeating did not help. */
  readonly disturbed: number;
  /** Share of the processor that other programs took during the samples that count: their mean. */
  readonly foreign: number;
}

/** Samples of what the machine's other programs do not change: sizes, memory. Or of sides whose turns were counted elsewhere. */
export function untimed(samples: Rounds["samples"]): Rounds {
  return { samples, repeated: 0, disturbed: 0, foreign: 0 };
}

/** The most times that a disturbed sample is taken again, after a longer rest each time. */
const MAX_REPEATS = 2;
/** The same for all samples together, so that a measurement ends even on a machine that never rests. */
const REPEATS_PER_SAMPLE = 0.5;

/** The order is reversed in every other round, so that no side always follows the same one. */
export async function interleave(sides: readonly Side[], schedule: Schedule): Promise<Rounds> {
  const samples: number[][] = sides.map(() => []);
  let repeated = 0;
  let disturbed = 0;
  let foreignSum = 0;
  const budget = Math.ceil(REPEATS_PER_SAMPLE * schedule.rounds * sides.length);
  for (let round = -schedule.warmUp; round < schedule.rounds; round++) {
    const order = [...sides.entries()];
    if (round % 2 !== 0) order.reverse();
    for (const [index, side] of order) {
      for (let attempt = 0; ; attempt++) {
        await pause(schedule.restMs * 2 ** attempt);
        const { value, foreign } = await takeSample(side);
        if (round < 0) break;
        const undisturbed = foreign <= FOREIGN_BOUND;
        if (!undisturbed && attempt < MAX_REPEATS && repeated < budget) {
          repeated++;
          continue;
        }
        if (!undisturbed) disturbed++;
        foreignSum += foreign;
        samples[index]?.push(value);
        break;
      }
    }
  }
  const counted = schedule.rounds * sides.length;
  return { samples, repeated, disturbed, foreign: counted === 0 ? 0 : foreignSum / counted };
}

async function takeSample(side: Side): Promise<{ value: number; foreign: number }> {
  const before = side.cpuSeconds();
  const load = new ForeignLoad();
  const value = await side.sample();
  return { value, foreign: load.share(side.cpuSeconds() - before) };
}
