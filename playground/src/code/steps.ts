import type { Place } from "@gpt2-ts/gpt2/look";

/** One line of model.ts that runs, and the tensors that it makes. */
export interface Step {
  /** The block that it belongs to; undefined before the first and after the last. */
  readonly block: number | undefined;
  /** The line, then those that it was called from. */
  readonly lines: readonly number[];
  /** In the order in which they are made; of single heads only the chosen one. */
  readonly places: readonly Place[];
  /** What the line is for: the place shown unless another one is chosen. */
  readonly main: Place;
}

/** The steps of a pass. */
export function stepsOf(places: Iterable<Place>, head: number): Step[] {
  const steps: { block: number | undefined; lines: readonly number[]; places: Place[]; main: Place }[] = [];
  for (const place of places) {
    const own = /\.head\.(\d+)$/.exec(place.name)?.[1];
    if (own !== undefined && Number(own) !== head) continue;
    const block = blockOf(place.name);
    const last = steps.at(-1);
    if (last?.block === block && last?.lines.join() === place.lines.join()) {
      last.places.push(place);
      if (own === undefined) last.main = place; // what a line returns is made last
    } else steps.push({ block, lines: place.lines, places: [place], main: place });
  }
  return steps;
}

/** The block that makes the value at a place. */
export function blockOf(place: string): number | undefined {
  const [, block, after] = /^(?:h\.(\d+)\.|x\.(\d+)$)/.exec(place) ?? [];
  if (block !== undefined) return Number(block);
  return after === undefined || after === "0" ? undefined : Number(after) - 1;
}

/** The step that makes the value at a place; of another head's place the chosen one's step. The first if there is none. */
export function stepAt(steps: readonly Step[], place: string): number {
  const general = place.replace(/\.head\.\d+$/, ".y");
  const found = steps.findIndex((step) => step.places.some(({ name }) => name === general));
  return Math.max(0, found);
}

/** The first step of the next block, or of what follows the last one. */
export function nextBlock(steps: readonly Step[], at: number): number {
  const block = steps[at]?.block;
  const found = steps.findIndex((step, i) => i > at && step.block !== block);
  return found < 0 ? steps.length - 1 : found;
}

/** The same place in another block; a place outside of blocks stays. */
export function inBlock(place: string, block: number): string {
  return place.replace(/^h\.\d+\./, `h.${block}.`).replace(/^x\.[1-9]\d*$/, `x.${block + 1}`);
}
