import { OptionError, showValue } from "@gpt2-ts/tensor/options";
import { checkInteger, checkNumber } from "../options.ts";

/** What raises or lowers the scores of single tokens before one is chosen, greedily or not. */
export interface AdjustmentOptions {
  /**
   * Added to the logits of these tokens, by their ids (OpenAI's `logit_bias`, Hugging Face's `sequence_bias`): a record or a
   * Map. -Infinity rules a token out.
   */
  readonly logitBias?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | undefined;
  /**
   * Divides the logits of tokens that occurred before, or multiplies negative ones (Keskar et al., "CTRL", 2019). Above 1
   * discourages repetition. Default 1.
   */
  readonly repetitionPenalty?: number | undefined;
  /**
   * Rules out tokens that would complete a sequence of so many tokens that prompt and output already contain (Paulus, Xiong,
   * Socher, 2017). Default: none.
   */
  readonly noRepeatNgramSize?: number | undefined;
  /** Subtracted from the logits of tokens of the output so far, as in OpenAI's completions. Default 0. */
  readonly presencePenalty?: number | undefined;
  /** The same, times how often the token stands in the output so far. Default 0. */
  readonly frequencyPenalty?: number | undefined;
}

export const adjustmentOptionNames = [
  "logitBias",
  "repetitionPenalty",
  "noRepeatNgramSize",
  "presencePenalty",
  "frequencyPenalty",
] as const;

/** Throws an {@link OptionError} for a value that is out of range. */
export function checkAdjustmentOptions(options: AdjustmentOptions): void {
  checkNumber("repetitionPenalty", options.repetitionPenalty, "a number above 0", (value) => value > 0);
  checkInteger("noRepeatNgramSize", options.noRepeatNgramSize, 1);
  checkNumber("presencePenalty", options.presencePenalty, "a number", () => true);
  checkNumber("frequencyPenalty", options.frequencyPenalty, "a number", () => true);
  for (const [id, bias] of biasesOf(options.logitBias)) {
    if (!Number.isSafeInteger(id) || id < 0) {
      throw new OptionError("logitBias", `expected token ids from 0, got ${showValue(id)}`);
    }
    if (typeof bias !== "number" || !(bias < Number.POSITIVE_INFINITY)) {
      throw new OptionError("logitBias", `expected a number or -Infinity for token ${id}, got ${showValue(bias)}`);
    }
  }
}

/** Whether {@link adjust} may change a score. */
export function adjusts({
  logitBias,
  repetitionPenalty = 1,
  noRepeatNgramSize,
  presencePenalty = 0,
  frequencyPenalty = 0,
}: AdjustmentOptions): boolean {
  const penalized = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
  return penalized || logitBias !== undefined || noRepeatNgramSize !== undefined;
}

/** A text so far. */
export interface TextSoFar {
  /** The ids of prompt and output. */
  readonly ids: readonly number[];
  /** How many of them are the prompt's. */
  readonly promptLength: number;
}

/**
 * Changes `scores` `[V]` in place, in the order of {@link AdjustmentOptions}. Hugging Face's processors give the same for the
 * first three; the last two are `logit - frequencyPenalty · count - presencePenalty`, from OpenAI's API reference.
 *
 * @param options were checked
 * @throws RangeError for an id without a score
 */
export function adjust(scores: Float64Array, options: AdjustmentOptions, { ids, promptLength }: TextSoFar): void {
  const { repetitionPenalty = 1, noRepeatNgramSize, presencePenalty = 0, frequencyPenalty = 0 } = options;
  for (const [id, bias] of biasesOf(options.logitBias)) {
    scores[id] = scoreOf(id, scores, "logit bias") + bias;
  }
  if (repetitionPenalty !== 1) {
    for (const id of new Set(ids)) {
      const score = scoreOf(id, scores, "repetition penalty");
      scores[id] = score < 0 ? score * repetitionPenalty : score / repetitionPenalty;
    }
  }
  if (noRepeatNgramSize !== undefined) {
    for (const id of completions(ids, noRepeatNgramSize)) {
      if (id < scores.length) scores[id] = Number.NEGATIVE_INFINITY;
    }
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    for (const [id, count] of countsOf(ids, promptLength)) {
      scores[id] = scoreOf(id, scores, "presence and frequency penalty") - frequencyPenalty * count - presencePenalty;
    }
  }
}

function* biasesOf(biases: AdjustmentOptions["logitBias"]): Iterable<readonly [number, number]> {
  if (biases === undefined) return;
  if (typeof biases !== "object" || biases === null || Array.isArray(biases)) {
    throw new OptionError("logitBias", `expected a record or a Map of token ids and numbers, got ${showValue(biases)}`);
  }
  if (Object.prototype.toString.call(biases) === "[object Map]") yield* biases as ReadonlyMap<number, number>;
  else for (const [id, bias] of Object.entries(biases)) yield [Number(id), bias];
}

function scoreOf(id: number, scores: Float64Array, by: string): number {
  const score = scores[id];
  if (score === undefined) throw new RangeError(`${by}: there is no logit for token id ${id}`);
  return score;
}

/** The tokens that followed each earlier occurrence of the text's last `size - 1` tokens. */
function* completions(ids: readonly number[], size: number): Iterable<number> {
  const last = ids.length - size + 1; // where the n-gram that is being written begins
  for (let start = 0; start < last; start++) {
    let same = 0;
    while (same < size - 1 && ids[start + same] === ids[last + same]) same++;
    if (same === size - 1) yield ids[start + same]!;
  }
}

function countsOf(ids: readonly number[], from: number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (let i = from; i < ids.length; i++) counts.set(ids[i]!, (counts.get(ids[i]!) ?? 0) + 1);
  return counts;
}
