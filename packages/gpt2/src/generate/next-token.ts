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

/**
 * Draws the next token. Where temperature alone decides, the device draws; the token is the same.
 *
 * @throws RangeError for logits that are NaN, or all -Infinity
 */
export async function drawNext(choice: Choice, generator: Generator): Promise<number> {
  const { logits, never, options } = choice;
  const vocabSize = logits.shape[1];
  if (drawnByTemperature(options, vocabSize) && never.length === 0 && logits.device.synchronous) {
    using ids = categorical(logits, { seed: generator, temperature: options.temperature ?? 1 });
    const id = await ids.item();
    if (id >= 0) return id;
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
