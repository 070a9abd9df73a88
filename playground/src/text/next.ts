import type { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import { computed } from "@preact/signals";
import { oneOf } from "../codecs.ts";
import { following } from "../engine/following.ts";
import { applied, place, samplingOptions, session, tokens, writing } from "../state.ts";
import { inUrl } from "../url.ts";
import { STAGES, type Stage, stagesOf } from "./stages.ts";

// The distribution of the token at the place that is looked at, or of the next one.

const MOVING_MS = 60;

/** What texts begin with, where nothing is written yet. */
export function beginning({ config, tokenizer }: GPT2Worker): readonly number[] {
  return [config.bosTokenId ?? tokenizer.startOfText ?? tokenizer.endOfText ?? 0];
}

/** Scores of what may follow tokens, ready for `nextToken`: ids without a token are never drawn. */
export async function logitsAfter(
  model: GPT2Worker,
  ids: readonly number[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const logits = await model.nextLogits(ids.length === 0 ? beginning(model) : ids, { signal });
  for (const id of model.tokenizer.idsWithoutToken(model.config.vocabSize)) logits[id] = Number.NEGATIVE_INFINITY;
  return logits;
}

export const { answer: next } = following(
  () => {
    const model = session.value?.model;
    applied.value;
    if (model === undefined) return undefined;
    return place.value < model.config.nPositions + 1
      ? { model, ids: tokens.value.ids.slice(0, place.value) }
      : undefined;
  },
  async ({ model, ids }, signal) => ({ model, ids, logits: await logitsAfter(model, ids, signal) }),
  { delay: MOVING_MS, paused: () => writing.value },
);

/** The distribution after each filter. */
export const stages = computed<readonly Stage[] | undefined>(() => {
  const known = next.value.value;
  return known && stagesOf(known.logits, samplingOptions.value, known.ids);
});

/** Which filter's work is shown; `all` of them. */
export const shownStage = inUrl("filter", "all", oneOf(["all", ...STAGES.map(({ name }) => name)]));
