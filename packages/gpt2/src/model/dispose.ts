import type { Model } from "./model.ts";
import { namedWeights } from "./weights.ts";

const caches = new WeakMap<Model, Set<() => void>>();

/** Has `release` called when the model is disposed of: for what is kept beside its weights, on the same device. */
export function disposeWith(model: Model, release: () => void): void {
  const kept = caches.get(model) ?? new Set();
  caches.set(model, kept.add(release));
}

/** Gives a model's weights back to their device, and what was kept for it there. */
export function disposeModel(model: Model): void {
  for (const release of caches.get(model) ?? []) release();
  caches.delete(model);
  for (const [, tensor] of namedWeights(model)) tensor.dispose();
}
