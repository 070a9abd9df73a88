import type { GPT2 } from "@gpt2-ts/gpt2";
import { type LikelihoodOptions, logLikelihoods, perCharacter } from "./likelihood.ts";
import type { RocPoint } from "./results.ts";

/** How {@link chooseThreshold} goes about it. */
export const THRESHOLD_RULE =
  "Of the points halfway between two neighbouring scores, the one with the highest balanced accuracy " +
  "(the mean of the shares of random and of real texts with the right label); of equal ones that in the widest gap.";

/**
 * Problem 6.5: whether a text is random rather than written by someone: whether its log-likelihood per character is
 * below a threshold. Nothing is trained. A text of fewer than two tokens has likelihood 1, and is not called random.
 *
 * @param threshold in nats per character; see {@link chooseThreshold}
 */
export async function isRandom(model: GPT2, text: string, threshold: number): Promise<boolean> {
  const [score] = await likelihoodsPerCharacter(model, [text]);
  return score! < threshold;
}

/** The log-likelihood per character of each text, in nats: what {@link isRandom} compares. */
export async function likelihoodsPerCharacter(
  model: GPT2,
  texts: readonly string[],
  options?: LikelihoodOptions,
): Promise<number[]> {
  const values = await logLikelihoods(model, texts, options);
  return values.map((value, i) => perCharacter(value, texts[i]!));
}

/**
 * The threshold that tells labelled scores apart best, by {@link THRESHOLD_RULE}. Sets of different sizes count alike.
 *
 * @throws RangeError if there are no random or no real scores, or all are equal
 */
export function chooseThreshold(random: readonly number[], real: readonly number[]): number {
  if (random.length === 0 || real.length === 0) throw new RangeError("threshold: expected random and real texts");
  const scores = [...new Set([...random, ...real])].sort((a, b) => a - b);
  let best: { threshold: number; accuracy: number; gap: number } | undefined;
  for (const [i, low] of scores.slice(0, -1).entries()) {
    const high = scores[i + 1]!;
    const threshold = low + (high - low) / 2;
    const accuracy = (share(random, (score) => score < threshold) + share(real, (score) => score >= threshold)) / 2;
    const gap = high - low;
    if (!best || accuracy > best.accuracy || (accuracy === best.accuracy && gap > best.gap)) {
      best = { threshold, accuracy, gap };
    }
  }
  if (!best) throw new RangeError("threshold: all texts have the same likelihood per character");
  return best.threshold;
}

/** The share of scores with the right label, of all. */
export function accuracy(random: readonly number[], real: readonly number[], threshold: number): number {
  const right = random.filter((score) => score < threshold).length + real.filter((score) => score >= threshold).length;
  return right / (random.length + real.length);
}

/**
 * What each threshold would give: the shares of real texts taken for random, and of random texts recognized. From (0, 0)
 * to (1, 1).
 */
export function rocCurve(random: readonly number[], real: readonly number[]): RocPoint[] {
  const thresholds = [...new Set([...random, ...real])].sort((a, b) => a - b);
  return [...thresholds, Number.POSITIVE_INFINITY].map((threshold) => ({
    threshold,
    falsePositiveRate: share(real, (score) => score < threshold),
    truePositiveRate: share(random, (score) => score < threshold),
  }));
}

/** The area under a ROC curve (trapezoids). */
export function areaUnder(curve: readonly RocPoint[]): number {
  let area = 0;
  for (const [i, { falsePositiveRate, truePositiveRate }] of curve.entries()) {
    const before = curve[i - 1];
    if (!before) continue;
    const height = (truePositiveRate + before.truePositiveRate) / 2;
    area += (falsePositiveRate - before.falsePositiveRate) * height;
  }
  return area;
}

function share(scores: readonly number[], holds: (score: number) => boolean): number {
  return scores.filter(holds).length / scores.length;
}
