import { fromData, keep, layerNorm, Tensor, tidy, topK } from "@gpt2-ts/tensor";
import { checkOptionNames } from "@gpt2-ts/tensor/options";
import type { Text } from "../language-model.ts";
import { logitsOfRows } from "../model/advance.ts";
import type { C, Model } from "../model/model.ts";
import { pauses } from "../model/pauses.ts";
import { checkInteger } from "../options.ts";
import { idsOf } from "../text-ids.ts";
import { hooksOf, type PlacedHook } from "./hooks.ts";
import { hookedPass, type Looked, type LookOptions, lookOptionNames } from "./pass.ts";
import { findPlaces } from "./places.ts";

export interface LogitLensOptions extends LookOptions {
  /** How many of the likeliest tokens are told for each place; default 5. */
  readonly top?: number | undefined;
}

/** A token that may follow. */
export interface Candidate {
  readonly id: number;
  /** Its text, for display. */
  readonly token: string;
  readonly probability: number;
}

/** What a model would say at a layer: the residual stream there, read as if it were the last. */
export interface LensLayer {
  /** `x.0`, what the first block reads, to the last block's result, from which the model's own answer is made. */
  readonly place: string;
  /** For each token of the text, what is likeliest to follow it, likeliest first. */
  readonly top: readonly (readonly Candidate[])[];
  /** For each token but the last, the probability of the one that follows in the text. */
  readonly next: readonly number[];
}

export interface LogitLens {
  readonly ids: readonly number[];
  /** Each token's text, for display. */
  readonly tokens: readonly string[];
  readonly layers: readonly LensLayer[];
}

/**
 * The logit lens (nostalgebraist, "interpreting GPT: the logit lens", 2020): the final layer normalization and the output layer, applied to
 * the residual stream before the first block and after each.
 *
 * @throws OptionError; what `run` throws; `signal.reason` when aborted
 */
export async function logitLens(
  { model, tokenizer }: Looked,
  text: Text,
  options: LogitLensOptions = {},
): Promise<LogitLens> {
  checkOptionNames(options, [...lookOptionNames, "top"], "logitLens");
  const { top = 5, signal } = options;
  checkInteger("top", top, 1, model.config.vocabSize);
  const ids = idsOf("logitLens", tokenizer, text);
  const streams = new Map<string, Tensor<[number, C]>>();
  const readers = findPlaces("places", model.config, "x.*").map(
    (place): PlacedHook => ({
      place,
      hook: (value: Tensor<[number, C]>) => void streams.set(place.name, keep(new Tensor<[number, C]>(value))),
    }),
  );
  try {
    (await hookedPass(model, ids, [...hooksOf(model, options), ...readers], signal)).dispose();
    const layers: LensLayer[] = [];
    for (const [place, stream] of streams) {
      const { indices, values, next } = await predictions(model, stream, ids, top, signal);
      const candidates = Array.from(indices, (id, i): Candidate => {
        return { id, token: tokenizer.tokens([id])[0]!, probability: values[i]! };
      });
      layers.push({ place, top: ids.map((_, t) => candidates.slice(t * top, (t + 1) * top)), next });
    }
    return { ids, tokens: tokenizer.tokens(ids), layers };
  } finally {
    for (const stream of streams.values()) stream.dispose();
  }
}

/** The likeliest tokens after each row of a residual stream, and the probabilities of those that do follow. */
async function predictions(
  model: Model,
  stream: Tensor<[number, C]>,
  ids: readonly number[],
  top: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly indices: readonly number[]; readonly values: readonly number[]; readonly next: number[] }> {
  const { weight, bias } = model.weights.lnF;
  const following = [...ids.slice(1), 0]; // what follows the last token, nobody knows: its number is dropped
  using x = layerNorm(stream, weight, bias, model.config.layerNormEpsilon);
  const indices: number[] = [];
  const values: number[] = [];
  const next: number[] = [];
  const pause = pauses(signal);
  for (const logits of logitsOfRows(model, x, [...ids.keys()])) {
    const found = tidy(() => {
      const probabilities = logits.softmax(-1);
      const [rows] = logits.shape;
      const targets = following.slice(next.length, next.length + rows);
      const columns = fromData(targets, [rows, 1], { dtype: "int32", device: x.device });
      return { next: probabilities.gather(-1, columns), ...topK(probabilities, top) };
    });
    try {
      logits.dispose();
      indices.push(...(await found.indices.data()));
      values.push(...(await found.values.data()));
      next.push(...(await found.next.data()));
    } finally {
      for (const tensor of Object.values(found)) tensor.dispose();
    }
    await pause();
  }
  return { indices, values, next: next.slice(0, -1) };
}
