import type { Alternative, Score } from "@gpt2-ts/gpt2";
import { computed, effect, signal } from "@preact/signals";
import { following } from "../engine/following.ts";
import { applied, firstText, session, speed, tokens, writing } from "../state.ts";

/** The likeliest tokens that are asked for in each place: a token and the five that it beat. */
export const TOP = 6;
/** What is typed is scored when it rests so long. */
const TYPING_MS = 120;
/** Fewer tokens say little of how many are read in a second. */
const ENOUGH_TO_MEASURE = 64;

/** How likely the tokens of a text are, from the second on. */
type Scored = Pick<Score, "ids" | "logprobs"> & { readonly alternatives: readonly (readonly Alternative[])[] };

const scored = signal<Scored | undefined>();

/** How many of the text's tokens are the scored ones: a token depends on nothing behind it, so that its score stays when a text grows. */
const known = computed(() => {
  const ids = scored.value?.ids ?? [];
  const now = tokens.value.ids;
  let length = 0;
  while (length < now.length && ids[length] === now[length]) length++;
  return length;
});

/** What the model thought of a token. */
export interface TokenScore {
  /** Natural logarithm. */
  readonly logprob: number;
  /** The likeliest tokens in its place, likeliest first. */
  readonly alternatives: readonly Alternative[];
}

/** Of the text's token `index`; undefined for the first, which is given, and while it is not known yet. */
export function scoreOf(index: number): TokenScore | undefined {
  if (index < 1 || index >= known.value) return undefined;
  const { logprobs, alternatives } = scored.value!;
  return { logprob: logprobs[index - 1]!, alternatives: alternatives[index - 1]! };
}

/** The natural log-probabilities of all tokens but the first, once all are known. */
export const logprobs = computed<readonly number[] | undefined>(() => {
  const { ids } = tokens.value;
  return ids.length > 1 && known.value === ids.length ? scored.value!.logprobs.slice(0, ids.length - 1) : undefined;
});

/** Adds the score of a token that was written behind the ids that are scored. */
export function addScore(before: readonly number[], id: number, score: TokenScore): void {
  const now = scored.peek();
  if (now === undefined || now.ids.length !== before.length || now.ids.some((each, i) => each !== before[i])) return;
  scored.value = {
    ids: [...before, id],
    logprobs: [...now.logprobs, score.logprob],
    alternatives: [...now.alternatives, score.alternatives],
  };
}

effect(() => {
  // Another model, or another set of places switched off, has other scores.
  session.value;
  applied.value;
  scored.value = undefined;
});

export const { answer: scoring } = following(
  () => {
    const { ids } = tokens.value;
    const model = session.value?.model;
    applied.value;
    if (model === undefined || ids.length < 2) return undefined;
    return { model, ids };
  },
  async ({ model, ids }, signal) => {
    if (known.peek() === ids.length) return;
    const began = performance.now();
    const { logprobs, alternatives = [] } = await model.score(ids, { top: TOP, signal });
    if (signal.aborted) return;
    const seconds = (performance.now() - began) / 1000;
    if (ids.length >= ENOUGH_TO_MEASURE) speed.value = { ...speed.peek(), reading: ids.length / seconds };
    scored.value = { ids, logprobs, alternatives };
    if (firstText.peek() === undefined) requestAnimationFrame(() => (firstText.value ??= performance.now()));
  },
  { delay: TYPING_MS, paused: () => writing.value },
);
