import type { Model } from "./model.ts";
import { namedWeights } from "./weights.ts";

const caches = new WeakMap<Model, Set<() => void>>();

/** Calls `release` when the model is disposed of: for what is kept beside its weights, on the same device. */
export function disposeWith(model: Model, release: () => void): void {
  const kept = caches.get(model) ?? new Set();
  caches.set(model, kept.add(release));
}

/** Frees a model's weights, and what was kept for it on the same device. */
export function disposeModel(model: Model): void {
  for (const release of caches.get(model) ?? []) release();
  caches.delete(model);
  for (const [, tensor] of namedWeights(model)) tensor.dispose();
}
