import { categorical, type Generator, type Tensor, tidy, topK } from "@gpt2-ts/tensor";
import type { V } from "../model/model.ts";
import type { TextSoFar } from "./adjust-logits.ts";
import {
  decidedByLargest,
  distribution,
  distributionOfLargest,
  draw,
  drawnByTemperature,
  type NextToken,
  type SamplingOptions,
} from "./sampling.ts";

/** More than so many of the largest logits are not found sooner on the device than by reading all. */
const MOST_LARGEST = 256;

/** What the next token is chosen by. */
export interface Choice {
  /** The scores of all tokens. */
  readonly logits: Tensor<[1, V]>;
  /** Ids that are never drawn. */
  readonly never: Int32Array;
  /** Were checked. */
  readonly options: SamplingOptions;
  readonly text: TextSoFar;
}

/** What a token is drawn by where temperature alone decides. */
export interface ByTemperature {
  readonly temperature: number;
  readonly generator: Generator;
}

/** Whether the device can draw the next token: where temperature alone decides. */
export function deviceDraws(logits: Tensor<[number, V]>, options: SamplingOptions, never: Int32Array): boolean {
  return logits.device.synchronous && never.length === 0 && drawnByTemperature(options, logits.shape[1]);
}

/** Has the device draw a token for each row of logits [R, V], all at once: {@link NOT_DRAWN} for one that nothing can be drawn from. */
export async function drawRows(logits: Tensor<[number, V]>, rows: readonly ByTemperature[]): Promise<Int32Array> {
  const seed = rows.map(({ generator }) => generator);
  using ids = categorical(logits, { seed, temperature: rows.map(({ temperature }) => temperature) });
  return await ids.data();
}

/** What {@link drawRows} has for logits that are NaN, or all -Infinity. */
export const NOT_DRAWN = -1;

/**
 * Draws the next token. Where temperature alone decides, the device draws; the token is the same.
 *
 * @throws RangeError for logits that are NaN, or all -Infinity
 */
export async function drawNext(choice: Choice, generator: Generator): Promise<number> {
  const { logits, never, options } = choice;
  if (deviceDraws(logits, options, never)) {
    const { temperature = 1 } = options;
    const [id] = await drawRows(logits, [{ temperature, generator }]);
    if (id !== NOT_DRAWN) return id!;
  }
  return draw(await nextTokenOf(choice), generator); // or says what is wrong with the logits
}

/**
 * The distribution that the next token is drawn from. Where a few of the largest logits decide on it, greedily or with top-k,
 * only they are read from the device.
 */
export async function nextTokenOf({ logits, never, options, text }: Choice): Promise<NextToken> {
  return (await fromLargest(logits, never, options)) ?? (await fromAll(logits, never, options, text));
}

async function fromLargest(
  logits: Tensor<[1, V]>,
  never: Int32Array,
  options: SamplingOptions,
): Promise<NextToken | undefined> {
  const vocabSize = logits.shape[1];
  const count = decidedByLargest(options, vocabSize);
  // On a device that works later, all are read as soon as a few: what takes time is the way there.
  if (count === undefined || count > MOST_LARGEST || !logits.device.synchronous) return undefined;
  const largest = tidy(() => topK(logits, count));
  using values = largest.values;
  using indices = largest.indices;
  const ids = await indices.data();
  if (never.some((id) => ids.includes(id))) return undefined;
  return distributionOfLargest(ids, await values.data(), options, vocabSize);
}

async function fromAll(
  logits: Tensor<[1, V]>,
  never: Int32Array,
  options: SamplingOptions,
  text: TextSoFar,
): Promise<NextToken> {
  const scores = await logits.data();
  for (const id of never) scores[id] = Number.NEGATIVE_INFINITY;
  return distribution(scores, options, text);
}

/** The natural log-probability of token `id`. */
export async function logprobOf(logits: Tensor<[1, V]>, id: number): Promise<number> {
  using logprob = tidy(() => logits.logSoftmax(-1).slice(-1, id, id + 1));
  return logprob.item();
}
