import { placesOf } from "@gpt2-ts/gpt2/look";
import type { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import { chosenToken, head, layer, loading, session, switchedOff, tokens } from "../state.ts";

/** What there is to look into, and what of it is chosen. Chosen numbers are ones that the model and the text have. */
export interface Looked {
  readonly model: GPT2Worker;
  readonly ids: readonly number[];
  /** Each token's text, for display. */
  readonly tokens: readonly string[];
  /** The chosen token; behind the text, the last one, after which the next is asked for. */
  readonly token: number;
  readonly layer: number;
  readonly head: number;
  /** Of what is to be off, the places that this model has. */
  readonly off: readonly string[];
  /** Says which model, text and switches this is: a part of questions whose answers depend on them. */
  readonly key: string;
}

/** What is looked into; or why there is nothing. */
export function looked(): Looked | { readonly nothing: string } {
  const model = session.value?.model;
  if (model === undefined) {
    return { nothing: loading.value ? "The model is on its way." : "There is no model: load one under Models." };
  }
  const { ids, texts } = tokens.value;
  if (ids.length === 0) return { nothing: "The text is empty. Type something above, and see here what happens to it." };
  const { nLayer, nHead } = model.config;
  const places = placesOf(model.config);
  const off = switchedOff.value.filter((place) => places.get(place)?.writable);
  return {
    model,
    ids,
    tokens: texts,
    token: within(chosenToken.value ?? ids.length, ids.length),
    layer: within(layer.value, nLayer),
    head: within(head.value, nHead),
    off,
    key: `${numberOf(model)} ${off.join()} ${ids.join()}`,
  };
}

/** A choice that was made for another text or model. */
function within(chosen: number, count: number): number {
  return Math.max(0, Math.min(chosen, count - 1));
}

const numbers = new WeakMap<object, number>();
let latest = 0;

function numberOf(model: object): number {
  const number = numbers.get(model) ?? ++latest;
  numbers.set(model, number);
  return number;
}
