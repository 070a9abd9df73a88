import { effect } from "@preact/signals";
import shipped from "../../shipped.json" with { type: "json" };
import {
  applied,
  linkedDtype,
  linkedHub,
  linkedModel,
  type ModelChoice,
  offer,
  session,
  switchedOff,
} from "../state.ts";
import { followUrl } from "../url.ts";
import { open } from "./load.ts";

/** The models that lie beside the page. */
export const SHIPPED: readonly (ModelChoice & { readonly from: "page"; readonly about: string })[] = shipped.map(
  (model) => ({
    from: "page",
    ...model,
  }),
);

/** Loads the first model, and keeps model and address in step with what is chosen. */
export function start(): void {
  void openFirst();
  followUrl();
  effect(() => {
    const model = session.value?.model;
    const places = switchedOff.value;
    if (model === undefined || places.join() === applied.peek().join()) return;
    model.switchOff(places).then(
      () => {
        if (session.peek()?.model === model) applied.value = places;
      },
      () => {
        if (session.peek()?.model === model) switchedOff.value = applied.peek(); // places of another model
      },
    );
  });
}

/** The model that the address names if it is kept in this browser, and else the shipped one: nothing large comes unasked. */
async function openFirst(): Promise<void> {
  const name = linkedModel.peek();
  if (name === undefined) return open(SHIPPED[0]!);
  const linked = { from: "hub", name, dtype: linkedDtype.peek(), endpoint: linkedHub.peek() } as const;
  if (await isKept(name, linked.dtype)) return open(linked);
  offer.value = linked;
  return open(SHIPPED[0]!);
}

async function isKept(name: string, dtype: string): Promise<boolean> {
  try {
    const { listCachedModels } = await import("@gpt2-ts/gpt2/browser-cache");
    const models = await listCachedModels();
    return models.some(
      (model) => model.name === name && model.complete && model.dtype === (dtype === "f32" ? "original" : dtype),
    );
  } catch {
    return false; // nothing can be kept here
  }
}
