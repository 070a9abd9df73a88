import type { Generator } from "@gpt2-ts/tensor";
import { drawIndex, expInPlace, log } from "@gpt2-ts/tensor/math";
import { OptionError } from "@gpt2-ts/tensor/options";
import { checkFlag, checkInteger, checkNumber } from "../options.ts";
import {
  type AdjustmentOptions,
  adjust,
  adjustmentOptionNames,
  adjusts,
  checkAdjustmentOptions,
  type TextSoFar,
} from "./adjust-logits.ts";
import { LargestFirst } from "./largest-first.ts";

/**
 * How the next token is chosen: without options, it is drawn from the model's own distribution. Options apply in the order
 * logit bias, repetition penalty, n-grams, presence and frequency penalty, temperature, top-k, top-p, min-p, as in Hugging
 * Face `transformers`.
 */
export interface SamplingOptions extends AdjustmentOptions {
  /** Divides the logits: below 1 is less random, above 1 more; 0 is the limit, greedy. Default 1. */
  readonly temperature?: number | undefined;
  /** Draws only from the k most likely tokens, and those as likely as the k-th (Fan, Lewis, Dauphin, 2018). Default: all. */
  readonly topK?: number | undefined;
  /** Draws only from the fewest most likely tokens that together reach this probability, in 0..1 (Holtzman et al., 2020). */
  readonly topP?: number | undefined;
  /** Draws only from tokens at least so likely, as a share of the most likely one's probability (Nguyen et al., 2024). */
  readonly minP?: number | undefined;
  /** Always the most likely token: the same as `temperature: 0`. */
  readonly greedy?: boolean | undefined;
}

export const samplingOptionNames = [
  ...(["temperature", "topK", "topP", "minP", "greedy"] as const),
  ...adjustmentOptionNames,
];

/** Throws an {@link OptionError} for a value that is out of range, or options that contradict each other. */
export function checkSamplingOptions(options: SamplingOptions): void {
  const { temperature, topK, topP, minP, greedy } = options;
  checkAdjustmentOptions(options);
  checkNumber("temperature", temperature, "a number from 0", (value) => value >= 0);
  checkInteger("topK", topK, 1);
  checkNumber("topP", topP, "a number above 0, at most 1", (value) => value > 0 && value <= 1);
  checkNumber("minP", minP, "a number from 0 to 1", (value) => value >= 0 && value <= 1);
  checkFlag("greedy", greedy);
  if (greedy) {
    for (const name of ["temperature", "topK", "topP", "minP"] as const) {
      if (options[name] !== undefined) throw new OptionError(name, "has no meaning together with greedy");
    }
  }
}

/** Tokens that may come next, in ascending order of ids, and their probabilities, which add up to 1. */
export interface NextToken {
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
}

/**
 * The distribution that the next token is drawn from: `logits` `[V]` after all of {@link SamplingOptions}. All arithmetic is
 * float64 with functions of our own, so every engine gets the same numbers.
 *
 * @param previous the ids of prompt and output so far, which penalties apply to
 * @param promptLength how many of `previous` are the prompt's, which presence and frequency penalty leave out. Default 0
 * @throws OptionError for an option out of range; RangeError for logits that are NaN, or all -Infinity
 */
export function nextToken(
  logits: ArrayLike<number>,
  options: SamplingOptions = {},
  previous: Iterable<number> = [],
  promptLength = 0,
): NextToken {
  checkSamplingOptions(options);
  return distribution(logits, options, { ids: [...previous], promptLength });
}

/** {@link nextToken}, for options that were checked. */
export function distribution(logits: ArrayLike<number>, options: SamplingOptions, text: TextSoFar): NextToken {
  const scores = new Float64Array(logits);
  adjust(scores, options, text);
  const top = indexOfLargest(scores);
  if (isGreedy(options)) return certain(top);
  const { topK = scores.length } = options;
  const largest = scores[top]!;
  if (topK >= scores.length) return among({ ids: allIds(scores.length), scores, largest, falling: false }, options);
  const ids = mostLikely(scores, topK);
  return among({ ids, scores: Float64Array.from(ids, (id) => scores[id]!), largest, falling: true }, options);
}

/**
 * How many of the largest logits decide on the {@link distribution}, if a few do: one when greedy, with top-k one more than k, which
 * tells whether others are as likely as the k-th.
 */
export function decidedByLargest(options: SamplingOptions, vocabSize: number): number | undefined {
  if (adjusts(options)) return undefined;
  if (isGreedy(options)) return 1;
  const { topK = vocabSize } = options;
  return topK < vocabSize ? topK + 1 : undefined;
}

/** Whether nothing but the temperature changes the model's own distribution. */
export function drawnByTemperature(options: SamplingOptions, vocabSize: number): boolean {
  const { temperature = 1, topK = vocabSize, topP = 1, minP = 0 } = options;
  const keepsAll = topK >= vocabSize && topP >= 1 && minP <= 0;
  return keepsAll && !isGreedy(options) && Number.isFinite(temperature) && !adjusts(options);
}

/**
 * {@link distribution}, with the same bits, from the largest logits alone.
 *
 * @param ids tokens, as many as {@link decidedByLargest} says: largest logit first, of equal ones the lower id
 * @param logits theirs; NaN counts as largest
 * @returns undefined if more logits are needed, because some are equal to the k-th
 */
export function distributionOfLargest(
  ids: Int32Array,
  logits: Float32Array,
  options: SamplingOptions,
  vocabSize: number,
): NextToken | undefined {
  const largest = logits[0]!;
  checkLargest(largest, ids[0]!, vocabSize);
  if (isGreedy(options)) return certain(ids[0]!);
  const k = ids.length - 1;
  if (logits[k] === logits[k - 1]) return undefined;
  const scores = new Float64Array(logits.subarray(0, k));
  return among({ ids: ids.subarray(0, k), scores, largest, falling: true }, options);
}

function isGreedy({ greedy = false, temperature = 1 }: SamplingOptions): boolean {
  return greedy || temperature === 0;
}

function certain(id: number): NextToken {
  return { ids: Int32Array.of(id), probabilities: Float64Array.of(1) };
}

/** Tokens and their scores: by falling score (of equal ones the lower id first), or by rising id. */
interface Candidates {
  readonly ids: Int32Array;
  readonly scores: Float64Array;
  readonly largest: number;
  readonly falling: boolean;
}

/** What temperature, top-p and min-p make of candidates. */
function among(
  { ids, scores, largest, falling }: Candidates,
  { temperature = 1, topP = 1, minP = 0 }: SamplingOptions,
): NextToken {
  const weights = new Float64Array(scores.length); // e^((score - largest) / temperature)
  // Where only min-p is asked for, weights that it would rule out by far are 0 instead.
  const least = topP >= 1 && minP > 0 ? log(minP) - 1e-6 : Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    const exponent = (scores[i]! - largest) / temperature;
    weights[i] = exponent < least ? Number.NEGATIVE_INFINITY : exponent;
  }
  expInPlace(weights);
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  if (topP >= 1 && minP <= 0 && !falling) {
    for (let i = 0; i < weights.length; i++) weights[i]! /= total;
    return { ids, probabilities: weights };
  }
  let kept = allIds(scores.length); // places among the candidates
  if (topP < 1) kept = nucleus(falling ? kept : fallingIds(scores), weights, topP * total);
  if (minP > 0) kept = those(kept, weights, minP); // the most likely token's weight is 1
  if (falling) kept.sort((i, j) => ids[i]! - ids[j]!);
  else if (topP < 1) kept.sort();
  total = 0;
  for (const i of kept) total += weights[i]!;
  const chosen = new Int32Array(kept.length);
  const probabilities = new Float64Array(kept.length);
  for (let place = 0; place < kept.length; place++) {
    const i = kept[place]!;
    chosen[place] = ids[i]!;
    probabilities[place] = weights[i]! / total;
  }
  return { ids: chosen, probabilities };
}

/** Draws a token with the generator's next uniform number. */
export function draw({ ids, probabilities }: NextToken, generator: Generator): number {
  return ids[drawIndex(probabilities, generator.uniform())]!;
}

function indexOfLargest(scores: Float64Array): number {
  let top = 0;
  let largest = scores[0]!;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (Number.isNaN(score)) checkLargest(score, id, scores.length);
    if (score > largest) {
      top = id;
      largest = score;
    }
  }
  checkLargest(largest, top, scores.length);
  return top;
}

/** Throws a RangeError for a largest logit that nothing can be drawn by. */
function checkLargest(logit: number, id: number, count: number): void {
  if (Number.isNaN(logit)) throw new RangeError(`the logit of token ${id} is NaN: are the weights broken?`);
  if (logit === Number.NEGATIVE_INFINITY) {
    throw new RangeError(`the largest of ${count} logits is -Infinity: do the options rule out every token?`);
  }
  if (!Number.isFinite(logit)) throw new RangeError(`the largest of ${count} logits is ${logit}`);
}

/** The `k` ids of the largest scores, and those that tie with the last of them; largest first. */
function mostLikely(scores: Float64Array, k: number): Int32Array {
  const bound = reachedByAtLeast(k, scores);
  const candidates: number[] = [];
  for (let id = 0; id < scores.length; id++) if (scores[id]! >= bound) candidates.push(id);
  const values = Float64Array.from(candidates, (id) => scores[id]!);
  const order = new LargestFirst(values);
  const ids: number[] = [];
  let last = Number.POSITIVE_INFINITY;
  for (let i = order.peek(); i !== undefined; i = order.peek()) {
    if (ids.length >= k && values[i]! < last) break;
    ids.push(candidates[i]!);
    last = values[i]!;
    order.next();
  }
  return Int32Array.from(ids);
}

const LARGEST_BLOCK = 64;
/** Blocks per wanted score: with so many, two of the `k` largest scores rarely share a block. */
const BLOCKS_PER_K = 4;

/** A score that the `k` largest reach, and few others: the k-th largest of the blocks' maxima. */
function reachedByAtLeast(k: number, scores: Float64Array): number {
  const size = Math.max(1, Math.min(LARGEST_BLOCK, Math.floor(scores.length / (BLOCKS_PER_K * k))));
  const largest = new Float64Array(Math.ceil(scores.length / size)).fill(Number.NEGATIVE_INFINITY);
  for (let block = 0, id = 0; block < largest.length; block++) {
    for (const end = Math.min(id + size, scores.length); id < end; id++) {
      if (scores[id]! > largest[block]!) largest[block] = scores[id]!;
    }
  }
  return largest.sort()[largest.length - k] ?? Number.NEGATIVE_INFINITY;
}

/** The places whose weights reach `least`, in the same order. */
function those(places: Int32Array, weights: Float64Array, least: number): Int32Array {
  let count = 0;
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    if (weights[place]! >= least) places[count++] = place;
  }
  return places.subarray(0, count);
}

function allIds(count: number): Int32Array {
  const ids = new Int32Array(count);
  for (let id = 0; id < count; id++) ids[id] = id;
  return ids;
}

/** So many of the largest scores are found sooner than all are set in order, and are mostly enough. */
const OFTEN_ENOUGH = 256;

function* fallingIds(scores: Float64Array): Iterable<number> {
  const first = mostLikely(scores, OFTEN_ENOUGH);
  yield* first;
  const order = new LargestFirst(scores);
  for (let i = 0; i < first.length; i++) order.next();
  for (let id = order.next(); id !== undefined; id = order.next()) yield id;
}

/** The shortest prefix of `ids`, most likely first, whose weights add up to `enough`. */
function nucleus(ids: Iterable<number>, weights: Float64Array, enough: number): Int32Array {
  const kept: number[] = [];
  let sum = 0;
  for (const id of ids) {
    kept.push(id);
    sum += weights[id]!;
    if (sum >= enough) break;
  }
  return Int32Array.from(kept);
}
