/** How much processor time other programs took during a sample: a disturbed sample says nothing and is taken again. */
import { cpus } from "node:os";

/** Share of the whole machine that other programs may take during a sample. */
export const FOREIGN_BOUND = 0.05;

/** Watches the machine from the moment it is created. */
export class ForeignLoad {
  readonly #busy = busySeconds();
  readonly #start = performance.now();
  readonly #parent = process.cpuUsage();

  /** The share of all cores' time that neither the sampled process (`ownCpuSeconds`) nor this one took. */
  share(ownCpuSeconds: number): number {
    const elapsed = ((performance.now() - this.#start) / 1000) * cpus().length;
    const parent = process.cpuUsage(this.#parent);
    const foreign = busySeconds() - this.#busy - ownCpuSeconds - (parent.user + parent.system) / 1e6;
    return Math.max(0, foreign / elapsed);
  }
}

function busySeconds(): number {
  const busy = cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq);
  return busy.reduce((sum, milliseconds) => sum + milliseconds, 0) / 1000;
}
