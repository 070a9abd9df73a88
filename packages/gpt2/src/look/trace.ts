import { keep, observe, Tensor, tidy } from "@gpt2-ts/tensor";
import { checkOptionNames, OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Text } from "../language-model.ts";
import { logits } from "../model/model.ts";
import { idsOf } from "../text-ids.ts";
import { hookListener, hooksOf, type PlacedHook } from "./hooks.ts";
import { hookedPass, type Looked, type LookOptions, lookOptionNames } from "./pass.ts";
import { findPlaces, type Place, placesOf } from "./places.ts";

export interface TraceOptions extends LookOptions {
  /**
   * The places whose values are wanted; `*` in the place of a number stands for all of them. Default: all but single heads, which
   * are parts of `attn.y`.
   */
  readonly places?: readonly string[] | undefined;
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
 *     const { tokens, values } = await trace(model, "To be, or not", { places: ["h.*.attn.pattern"] });
 *
 * @throws OptionError for places that the model does not have; what `run` throws; `signal.reason` when aborted
 */
export async function trace({ model, tokenizer }: Looked, text: Text, options: TraceOptions = {}): Promise<Trace> {
  checkOptionNames(options, [...lookOptionNames, "places"], "trace");
  const ids = idsOf("trace", tokenizer, text);
  const wanted = wantedPlaces(model.config, options.places);
  const kept = new Map<Place, Tensor<readonly number[]>>();
  const reader = (place: Place): PlacedHook => ({
    place,
    hook: (value: Tensor<readonly number[]>) => void kept.set(place, keep(new Tensor(value))),
  });
  try {
    const hooks = [...hooksOf(model, options), ...wanted.map(reader)];
    using x = await hookedPass(model, ids, hooks, options.signal);
    if (wanted.some(({ name }) => name === "logits")) {
      observe(hookListener(model, hooks), () => tidy(() => void logits(model, x)));
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
