import { type Context, ContextLengthError, draw, type GPT2, nextToken, OptionError } from "@gpt2-ts/gpt2";
import { Generator } from "@gpt2-ts/tensor";
import type { Sample } from "./results.ts";
import { type Horizon2TopK, type Lookahead, temperatureScale, twoTokenScale } from "./temperature.ts";

export interface SampleOptions {
  /** The most tokens: fewer if prompt and sample fill the model's context first. */
  readonly length: number;
  /** Draw only from the k most likely tokens. Default 40. */
  readonly topK?: number | undefined;
  /** Default 1. */
  readonly temperature?: number | undefined;
  /** Tokens whose probability the temperature scales together: 1 (problem 6.6, the default) or 2 (problem 6.7b). */
  readonly horizon?: 1 | 2 | undefined;
  /** What top-k does at horizon 2. Default `"pairs"`. */
  readonly horizon2TopK?: Horizon2TopK | undefined;
  /** Seed of the draws, 0..2^53-1: the same seed gives the same sample. */
  readonly seed: number;
  /** Called after each token with how many there are. */
  readonly onToken?: ((count: number) => void) | undefined;
  /** Ends the sampling early: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What is sampled from: a {@link Context} of a model, or anything that tells likewise what may follow its tokens. */
export type Sampled = Pick<Context, "append" | "branch" | "length" | "capacity">;

/**
 * Problem 6.3: continues a prompt with tokens drawn one by one from the top-k softmax.
 *
 * @throws OptionError for an option out of range, or a prompt of no tokens; ContextLengthError for a prompt that leaves no
 *   room for a token; `signal.reason` when aborted
 */
export async function sample(model: GPT2, prompt: string, options: SampleOptions): Promise<Sample> {
  using context = model.context();
  const drawn = neverDrawing(model.tokenizer.idsWithoutToken(model.config.vocabSize), context);
  const { ids, finishReason } = await sampleTokens(drawn, model.tokenizer.encode(prompt), options);
  return { prompt, continuation: model.tokenizer.decode(ids), ids, finishReason };
}

/** The context, without the ids that the tokenizer has no token for. */
function neverDrawing(ids: Int32Array, context: Context): Sampled {
  if (ids.length === 0) return context;
  const without = (logits: Float32Array): Float32Array => {
    for (const id of ids) logits[id] = Number.NEGATIVE_INFINITY;
    return logits;
  };
  return {
    get length() {
      return context.length;
    },
    capacity: context.capacity,
    append: async (...tokens) => without(await context.append(...tokens)),
    branch: async (...continuations) => (await context.branch(...continuations)).map(without),
  };
}

/** The same with tokens: `prompt` is appended to the context, and then what is drawn, but for the last of it. */
export async function sampleTokens(
  context: Sampled,
  prompt: readonly number[],
  options: SampleOptions,
): Promise<Pick<Sample, "ids" | "finishReason">> {
  const { length, topK = 40, temperature = 1, horizon = 1, horizon2TopK, seed, onToken, signal } = options;
  if (!Number.isInteger(length) || length < 1) {
    throw new OptionError("length", `expected an integer from 1, got ${length}`);
  }
  if (horizon !== 1 && horizon !== 2) throw new OptionError("horizon", `expected 1 or 2, got ${String(horizon)}`);
  if (prompt.length === 0) throw new OptionError("prompt", "expected at least one token");
  if (prompt.length >= context.capacity) throw new ContextLengthError(prompt.length + 1, context.capacity);

  const generator = new Generator(seed);
  const ids: number[] = [];
  let logits = await context.append(prompt, { signal });
  while (true) {
    const scaled =
      horizon === 1
        ? temperatureScale(logits, { temperature })
        : await twoTokenScale(logits, {
            temperature,
            topK,
            horizon2TopK,
            lookahead: batchedLookahead(context, signal),
          });
    const id = draw(nextToken(scaled, { topK }), generator);
    ids.push(id);
    onToken?.(ids.length);
    if (ids.length === length) return { ids, finishReason: "length" };
    if (context.length + 1 === context.capacity) return { ids, finishReason: "context" };
    logits = await context.append([id], { signal });
  }
}

/** The k continuations are one batch that shares the cached prefix: one pass over the weights, not k. */
export function batchedLookahead(context: Pick<Sampled, "branch">, signal?: AbortSignal): Lookahead {
  return (candidates) => {
    const continuations = candidates.map((id) => [id]);
    return context.branch(continuations, { logprobs: true, signal });
  };
}
