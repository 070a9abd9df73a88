import { embedding, fromData, gather, type Tensor, targetLogProbs, tidy, topK } from "@gpt2-ts/tensor";
import { type C, logits, type Model, type V } from "./model.ts";
import { pauses } from "./pauses.ts";

/**
 * The natural log-probability of the token that follows, for each row of the stack's output: the logits' softmax and its logarithm,
 * without `[rows, V]` in memory. Each is a function of its row alone, bit for bit.
 */
export function logprobs<Rows extends number>(
  { weights: { lmHead } }: Model,
  x: Tensor<[Rows, C]>,
  targets: Tensor<[Rows], "int32">,
): Tensor<[Rows]> {
  return tidy(() => targetLogProbs(x, lmHead.transpose(), targets).logProbs); // [rows]
}

/** Logits of one step: some tens of rows of GPT-2's vocabulary. */
const LOGITS_PER_STEP = 2 ** 22;
/** Rows of a step are a multiple of this, so that kernels that take several rows at once have whole ones. */
const ROW_MULTIPLE = 16;

/** What is asked about rows of the stack's output. */
export interface LogprobQuestion {
  /** Rows of `x`. */
  readonly rows: readonly number[];
  /** The token that follows each. */
  readonly targets: readonly number[];
  /** If the likeliest tokens are wanted too: how many, and which ones never. */
  readonly top?: Top | undefined;
}

/** Which of the likeliest tokens are wanted. */
export interface Top {
  readonly count: number;
  /** Ids that do not count, such as those without a token. */
  readonly never: Int32Array;
}

/** Natural log-probabilities after some rows, row by row. */
export interface Logprobs {
  /** Of each row's target. */
  readonly targets: Float32Array;
  /** The likeliest tokens: `count` a row, the largest logit first, of equal ones the lower id; none unless asked for. */
  readonly top: { readonly count: number; readonly ids: Int32Array; readonly logprobs: Float32Array };
}

/**
 * The log-probabilities of the tokens that follow rows of the stack's output `x` `[T, C]`, with pauses, a few rows' logits at a
 * time. A target that is among the likeliest has the same number there, to the bit.
 *
 * @throws `signal.reason` when aborted
 */
export async function logprobsOf(
  model: Model,
  x: Tensor<[number, C]>,
  { rows, targets, top }: LogprobQuestion,
  signal?: AbortSignal,
): Promise<Logprobs> {
  const { device } = x;
  const { vocabSize } = model.config;
  const count = top ? countOf(top, vocabSize) : 0;
  const own = new Float32Array(rows.length);
  const ids = new Int32Array(rows.length * count);
  const best = new Float32Array(rows.length * count);
  const pause = pauses(signal);
  const atOnce = Math.max(1, Math.floor(LOGITS_PER_STEP / (vocabSize * ROW_MULTIPLE))) * ROW_MULTIPLE;
  for (let start = 0; start < rows.length; start += atOnce) {
    await pause();
    const followed = targets.slice(start, start + atOnce);
    const chosen = fromData(rows.slice(start, start + atOnce), [followed.length], { dtype: "int32", device });
    using _ = chosen;
    if (top) {
      using scores = tidy(() => logits(model, embedding(x, chosen)));
      const part = await logprobsIn(scores, followed, top);
      own.set(part.targets, start);
      ids.set(part.top.ids, start * count);
      best.set(part.top.logprobs, start * count);
      continue;
    }
    using part = tidy(() => {
      const of = fromData(followed, [followed.length], { dtype: "int32", device });
      return logprobs(model, embedding(x, chosen), of);
    });
    own.set(await part.data(), start);
  }
  return { targets: own, top: { count, ids, logprobs: best } };
}

/** The log-probabilities of a token for each row of logits, and of the likeliest ones. */
export async function logprobsIn(
  scores: Tensor<[number, V]>,
  targets: readonly number[],
  top?: Top,
): Promise<Logprobs> {
  const { device } = scores;
  const [rows, vocabSize] = scores.shape;
  const count = top ? countOf(top, vocabSize) : 0;
  const found = tidy(() => {
    const all = scores.logSoftmax(-1);
    const own = gather(all, -1, fromData(targets, [rows, 1], { dtype: "int32", device }));
    if (!top || count === 0) return { own };
    const ids = topK(withoutSome(scores, top.never), count).indices as Tensor<[number, number], "int32">;
    return { own, ids, best: gather(all, -1, ids) };
  });
  using own = found.own;
  using ids = found.ids;
  using best = found.best;
  return {
    targets: await own.data(),
    top: {
      count,
      ids: (await ids?.data()) ?? new Int32Array(0),
      logprobs: (await best?.data()) ?? new Float32Array(0),
    },
  };
}

function countOf({ count, never }: Top, vocabSize: number): number {
  return Math.min(count, vocabSize - never.length);
}

/** Logits with -Infinity for these ids. */
function withoutSome(scores: Tensor<[number, V]>, never: Int32Array): Tensor<[number, V]> {
  if (never.length === 0) return scores;
  const V = scores.shape[1];
  const mask = new Float32Array(V);
  for (const id of never) mask[id] = Number.NEGATIVE_INFINITY;
  return scores.add(fromData(mask, [V], { device: scores.device }));
}
