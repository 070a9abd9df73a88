import { type OpListener, observe, startObserving } from "@gpt2-ts/tensor";
import { checkOptionNames } from "@gpt2-ts/tensor/options";
import type { Model } from "../model/model.ts";
import { type Changes, hookListener, hooksOf, type PlacedHook } from "./hooks.ts";

/** The hooks that run on a model until they are stopped, in the order in which they were started. */
const started = new WeakMap<Model, readonly (readonly PlacedHook[])[]>();

/** The model whose started hooks rest just now: a pass of its own hooks runs them among those, or leaves them out. */
let resting: Model | undefined;

/**
 * Changes what a model computes from now on, until the returned function is called: in passes of any kind, such as those of a
 * generation.
 *
 *     const stop = startHooks(model, { ablate: ["h.2.attn.head.1"] });
 *     const { text } = await model.generate("Once upon a time");
 *     stop();
 *
 * `run`, `trace`, `logitLens` and `contributions` see what these hooks leave, unless they are told to look at the model `alone`. Operations
 * of one's own on the model's weights pass the same places. Scoring makes no logits, so that a hook on them is an error there.
 *
 * @throws OptionError for places that the model does not have
 */
export function startHooks({ model }: { readonly model: Model }, changes: Changes): () => void {
  checkOptionNames(changes, ["ablate", "hooks"], "startHooks");
  const hooks = hooksOf(model, changes);
  if (hooks.length === 0) return () => {};
  const listener = hookListener(model, hooks);
  const stop = startObserving({
    before: (call) => {
      if (resting !== model) listener.before?.(call);
    },
    after: (call, outputs, milliseconds) =>
      resting === model ? undefined : listener.after?.(call, outputs, milliseconds),
  });
  started.set(model, [...(started.get(model) ?? []), hooks]);
  return () => {
    started.set(
      model,
      (started.get(model) ?? []).filter((other) => other !== hooks),
    );
    stop();
  };
}

/** The hooks of a pass: those that were started, unless it looks at the model alone, and then its own, which see what those left. */
export function hooksOfPass(model: Model, changes: Changes & { readonly alone?: boolean | undefined }): PlacedHook[] {
  // Of those that were started, the latest come first, as where no pass runs them.
  const before = changes.alone ? [] : (started.get(model) ?? []).toReversed().flat();
  return [...before, ...hooksOf(model, changes)];
}

/** Runs `body` with the hooks of a {@link hookListener} in place of those that were started; `body` is synchronous. */
export function withHooks<Result>(model: Model, listener: OpListener, body: () => Result): Result {
  return withoutStartedHooks(model, () => observe(listener, body));
}

/** Runs `body` without the hooks that were started; `body` is synchronous. */
export function withoutStartedHooks<Result>(model: Model, body: () => Result): Result {
  const before = resting;
  resting = model;
  try {
    return body();
  } finally {
    resting = before;
  }
}

/**
 * What runs operations on a model's weights beside a pass: under the hooks that were started as the pass is, without them if it looks at
 * the model alone. What it runs is synchronous.
 */
export function besidePass(model: Model, alone: boolean | undefined): <Result>(body: () => Result) => Result {
  return (body) => (alone ? withoutStartedHooks(model, body) : body());
}
