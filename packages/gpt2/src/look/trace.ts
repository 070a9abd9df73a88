import { keep, type Tensor, tidy } from "@gpt2-ts/tensor";
import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Text } from "../language-model.ts";
import { logits } from "../model/model.ts";
import { checkFlag } from "../options.ts";
import { idsOf } from "../text-ids.ts";
import { hookListener, type PlacedHook } from "./hooks.ts";
import { hookedPass, type Looked, type LookOptions, lookOptionNames } from "./pass.ts";
import { findPlaces, type Place, placesOf } from "./places.ts";
import { checkSlice, partOfValue, type Slice } from "./slice.ts";
import { hooksOfPass, withHooks } from "./started.ts";

export interface TraceOptions extends LookOptions {
  /**
   * The places whose values are wanted; `*` in the place of a number stands for all of them. Default: all but single heads, which
   * are parts of `attn.y`.
   */
  readonly places?: readonly string[] | undefined;
  /**
   * Only a part of each value: from which element of an axis to before which, by the axis's letter. `{ T: [11, 12], H: [3, 4] }` is
   * what concerns token 11 and head 3; of scores and patterns T are the rows, the tokens that attend. Default: all.
   */
  readonly slice?: Slice | undefined;
}

/** What flowed through the model when it read a text. */
export interface Trace {
  readonly ids: readonly number[];
  /** Each token's text, for display. */
  readonly tokens: readonly string[];
  /** In the order of the pass. */
  readonly values: readonly TracedValue[];
}

/** The value at a place. */
export interface TracedValue extends Place {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/**
 * The tensors of a pass by the names of their places, with the letters of their shapes and the lines of model.ts that made them.
 *
 *     const { tokens, values } = await trace(model, "Once upon a time", { places: ["h.*.attn.pattern"] });
 *
 * @throws OptionError for places that the model does not have; what `run` throws; `signal.reason` when aborted
 */
export async function trace({ model, tokenizer }: Looked, text: Text, options: TraceOptions = {}): Promise<Trace> {
  checkOptionNames(options, [...lookOptionNames, "places", "slice"], "trace");
  checkFlag("alone", options.alone);
  const ids = idsOf("trace", tokenizer, text);
  const wanted = wantedPlaces(model.config, options.places);
  const { slice = {} } = options;
  checkSlice(slice, wanted, model.sizes, ids.length);
  const kept = new Map<Place, Tensor<readonly number[]>>();
  const { T: rows = [0, ids.length], ...rest } = slice;
  const reader = (place: Place): PlacedHook => {
    const wantedPart = place.name === "logits" ? rest : slice; // of the logits only the rows that are wanted are computed
    return {
      place,
      hook: (value: Tensor<readonly number[]>) => void kept.set(place, keep(partOfValue(value, place, wantedPart))),
    };
  };
  try {
    const hooks = [...hooksOfPass(model, options), ...wanted.map(reader)];
    using x = await hookedPass(model, ids, hooks, options.signal);
    if (wanted.some(({ name }) => name === "logits")) {
      withHooks(model, hookListener(model, hooks), () => tidy(() => void logits(model, x.slice(0, ...rows))));
    }
    const values: TracedValue[] = [];
    for (const place of wanted) {
      const tensor = kept.get(place)!;
      values.push({ ...place, shape: [...tensor.shape], data: await tensor.data() });
    }
    options.signal?.throwIfAborted();
    return { ids, tokens: tokenizer.tokens(ids), values };
  } finally {
    for (const tensor of kept.values()) tensor.dispose();
  }
}

function wantedPlaces(config: Looked["model"]["config"], names: readonly string[] | undefined): Place[] {
  const all = [...placesOf(config).values()];
  if (names === undefined) return all.filter(({ name }) => !name.includes(".head."));
  if (!Array.isArray(names)) throw new OptionError("places", `expected names of places, got ${showValue(names)}`);
  const chosen = new Set((names as readonly string[]).flatMap((name) => findPlaces("places", config, name)));
  return all.filter((place) => chosen.has(place));
}
