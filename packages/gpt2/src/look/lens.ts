import { fromData, keep, layerNorm, type Tensor, tidy, topK } from "@gpt2-ts/tensor";
import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Text } from "../language-model.ts";
import { logitsOfRows } from "../model/advance.ts";
import type { C, Model } from "../model/model.ts";
import { pauses } from "../model/pauses.ts";
import { checkFlag, checkInteger } from "../options.ts";
import { idsOf } from "../text-ids.ts";
import type { PlacedHook } from "./hooks.ts";
import { hookedPass, type Looked, type LookOptions, lookOptionNames } from "./pass.ts";
import { findPlaces, type Place } from "./places.ts";
import { checkRange } from "./slice.ts";
import { besidePass, hooksOfPass } from "./started.ts";

export interface LogitLensOptions extends LookOptions {
  /** How many of the likeliest tokens are told for each place; default 5. */
  readonly top?: number | undefined;
  /** The layers that are read, such as `["x.4"]`; `*` in the place of the number stands for all of them, which is the default. */
  readonly places?: readonly string[] | undefined;
  /** The tokens of the text after which it is asked what follows: from this one to before that one, from 0. Default: all. */
  readonly positions?: readonly [start: number, end: number] | undefined;
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
  /** For each of the positions, what is likeliest to follow the token there, likeliest first. */
  readonly top: readonly (readonly Candidate[])[];
  /** For each of the positions but the last of the text, the probability of the token that follows. */
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
  checkOptionNames(options, [...lookOptionNames, "top", "places", "positions"], "logitLens");
  const { top = 5, signal, alone = false } = options;
  checkInteger("top", top, 1, model.config.vocabSize);
  checkFlag("alone", alone);
  const ids = idsOf("logitLens", tokenizer, text);
  const { positions: rows = [0, ids.length] } = options;
  checkRange("positions", rows, ids.length);
  const streams = new Map<string, Tensor<[number, C]>>();
  const readers = layersOf(model, options.places).map(
    (place): PlacedHook => ({
      place,
      hook: (value: Tensor<[number, C]>) => void streams.set(place.name, keep(value.slice(0, ...rows))),
    }),
  );
  const read = besidePass(model, alone);
  try {
    (await hookedPass(model, ids, [...hooksOfPass(model, options), ...readers], signal)).dispose();
    const following = [...ids, 0].slice(rows[0] + 1, rows[1] + 1); // what follows the last token, nobody knows: its number is dropped
    const layers: LensLayer[] = [];
    for (const [place, stream] of streams) {
      const { indices, values, next } = await predictions(model, stream, following, top, read, signal);
      const candidates = Array.from(indices, (id, i): Candidate => {
        return { id, token: tokenizer.tokens([id])[0]!, probability: values[i]! };
      });
      layers.push({
        place,
        top: following.map((_, t) => candidates.slice(t * top, (t + 1) * top)),
        next: next.slice(0, ids.length - 1 - rows[0]),
      });
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
  following: readonly number[],
  top: number,
  read: ReturnType<typeof besidePass>,
  signal: AbortSignal | undefined,
): Promise<{ readonly indices: readonly number[]; readonly values: readonly number[]; readonly next: number[] }> {
  const { weight, bias } = model.weights.lnF;
  using x = read(() => layerNorm(stream, weight, bias, model.config.layerNormEpsilon));
  const indices: number[] = [];
  const values: number[] = [];
  const next: number[] = [];
  const pause = pauses(signal);
  const rows = logitsOfRows(model, x, [...following.keys()]);
  for (let step = read(() => rows.next()); !step.done; step = read(() => rows.next())) {
    const logits = step.value;
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
  return { indices, values, next };
}

/** The layers that are read, in the order of the pass. */
function layersOf({ config }: Model, names: readonly string[] = ["x.*"]): Place[] {
  if (!Array.isArray(names)) throw new OptionError("places", `expected names of places, got ${showValue(names)}`);
  const wanted = new Set((names as readonly string[]).flatMap((name) => findPlaces("places", config, name)));
  const layers = findPlaces("places", config, "x.*");
  for (const place of wanted) {
    if (!layers.includes(place))
      throw new OptionError("places", `${place.name} is no layer: expected x.0 to ${layers.at(-1)!.name}`);
  }
  return layers.filter((place) => wanted.has(place));
}
