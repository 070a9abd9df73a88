/** Interleaved measurement: A B C A B C …, one sample of each side at a time. */
import { setTimeout as pause } from "node:timers/promises";

/** Something that gives one sample when asked, and rests until it is asked again. */
export interface Side {
  readonly name: string;
  sample(): Promise<number>;
}

export interface Schedule {
  /** Samples of each side that are thrown away first. */
  readonly warmUp: number;
  readonly rounds: number;
  /** Milliseconds of rest before each sample: threads of the other side that still spin come to rest. */
  readonly restMs: number;
}

/**
 * One list of samples per side, in the order of `sides`; entry i of each list comes from round i. The order within a
 * round is reversed in every other round, so that no side always runs behind the same one.
 */
export async function interleave(sides: readonly Side[], schedule: Schedule): Promise<number[][]> {
  const samples: number[][] = sides.map(() => []);
  for (let round = -schedule.warmUp; round < schedule.rounds; round++) {
    const order = [...sides.keys()];
    if (round % 2 !== 0) order.reverse();
    for (const index of order) {
      await pause(schedule.restMs);
      const value = await sides[index]?.sample();
      if (round >= 0 && value !== undefined) samples[index]?.push(value);
    }
  }
  return samples;
}
