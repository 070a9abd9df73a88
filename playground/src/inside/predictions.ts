import type { LensLayer } from "@gpt2-ts/gpt2/look";
import type { Looked } from "./looked.ts";
import { type Answer, useAnswer } from "./use-answer.ts";

/** What the model says would come after each token: with what is switched off, and as it is. */
export interface Predictions {
  readonly tokens: readonly string[];
  readonly now: LensLayer;
  /** The same as `now` if nothing is off. */
  readonly whole: LensLayer;
}

/** Likeliest tokens in each place. */
export const CANDIDATES = 8;

export function usePredictions({ model, ids, off, key }: Looked): Answer<Predictions> {
  return useAnswer(key, async (signal): Promise<Predictions> => {
    const options = {
      places: [`x.${model.config.nLayer}`],
      top: Math.min(CANDIDATES, model.config.vocabSize),
      alone: true,
      signal,
    };
    const { tokens, layers } = await model.logitLens(ids, { ...options, ablate: off });
    const whole = off.length === 0 ? layers : (await model.logitLens(ids, options)).layers;
    return { tokens, now: layers[0]!, whole: whole[0]! };
  });
}
