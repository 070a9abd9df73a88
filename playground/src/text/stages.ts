import { type NextToken, nextToken, type SamplingOptions } from "@gpt2-ts/gpt2";

/** The filters, in the order in which the library applies them. */
export const STAGES = [
  { name: "repetition", label: "Repetition", options: ["repetitionPenalty"] },
  { name: "temperature", label: "Temperature", options: ["temperature"] },
  { name: "topk", label: "Top-k", options: ["topK"] },
  { name: "topp", label: "Top-p", options: ["topP"] },
  { name: "minp", label: "Min-p", options: ["minP"] },
] as const satisfies readonly {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (keyof SamplingOptions)[];
}[];

/** Values with which a filter changes nothing. */
const NEUTRAL: SamplingOptions = { repetitionPenalty: 1, temperature: 1, topK: undefined, topP: 1, minP: 0 };

/** A distribution on its way from the model's own to the one that is drawn from. */
export interface Stage {
  readonly name: "model" | (typeof STAGES)[number]["name"];
  readonly label: string;
  /** False where the filter is set to change nothing. */
  readonly works: boolean;
  readonly distribution: NextToken;
}

/**
 * The distribution of the next token before all filters, and after each: what `nextToken`, by which `generate` draws, makes of the
 * options up to there.
 *
 * @param previous the ids of the text so far
 */
export function stagesOf(logits: Float32Array, options: SamplingOptions, previous: readonly number[]): Stage[] {
  let distribution = nextToken(logits, {}, previous);
  const stages: Stage[] = [{ name: "model", label: "Model", works: true, distribution }];
  let upTo: SamplingOptions = {};
  for (const { name, label, options: names } of STAGES) {
    const works = names.some((option) => (options[option] ?? NEUTRAL[option]) !== NEUTRAL[option]);
    if (works) {
      upTo = { ...upTo, ...Object.fromEntries(names.map((option) => [option, options[option]])) };
      distribution = nextToken(logits, upTo, previous);
    }
    stages.push({ name, label, works, distribution });
  }
  return stages;
}

/** A token's share of a distribution before and after something was done to it. */
export interface Bar {
  readonly id: number;
  readonly before: number;
  readonly after: number;
}

/** The tokens with the largest shares before or after, likeliest before first. */
export function barsOf(before: NextToken, after: NextToken, count: number): Bar[] {
  const ids = new Set([...likeliest(before, count), ...likeliest(after, count)]);
  const bars = Array.from(ids, (id) => ({ id, before: probabilityOf(before, id), after: probabilityOf(after, id) }));
  const largest = bars.sort((a, b) => Math.max(b.before, b.after) - Math.max(a.before, a.after)).slice(0, count);
  return largest.sort((a, b) => b.before - a.before || b.after - a.after || a.id - b.id);
}

/** The ids of the largest probabilities, largest first, of equal ones the lower id. */
function likeliest({ ids, probabilities }: NextToken, count: number): number[] {
  const best: number[] = []; // places, largest first
  for (let i = 0; i < ids.length; i++) {
    if (best.length === count && probabilities[i]! <= probabilities[best[count - 1]!]!) continue;
    let at = best.length;
    while (at > 0 && probabilities[best[at - 1]!]! < probabilities[i]!) at--;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, count);
  }
  return best.map((i) => ids[i]!);
}

/** 0 for a token that a filter has left out. Ids are in ascending order. */
export function probabilityOf({ ids, probabilities }: NextToken, id: number): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? probabilities[low]! : 0;
}
