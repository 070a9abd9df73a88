import { type Tensor, tidy } from "@gpt2-ts/tensor";
import { checkOptionNames } from "@gpt2-ts/tensor/options";
import type { Text } from "../language-model.ts";
import { Batch } from "../model/batch.ts";
import { type C, forward, forwardInSteps, logits, type Model, type T, type V } from "../model/model.ts";
import { pauses } from "../model/pauses.ts";
import { idsOf } from "../text-ids.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type Changes, hookListener, type PlacedHook } from "./hooks.ts";
import { hooksOfPass, withHooks } from "./started.ts";

/** A model in this thread with its tokenizer, such as a GPT2. */
export interface Looked {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
}

/** How a text is looked at. */
export interface LookOptions extends Changes {
  /** Without the hooks that `startHooks` has started (`switchOff` of a worker): only `ablate` and `hooks` change the pass. Default: false. */
  readonly alone?: boolean | undefined;
  /** Stops early: the function then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export const lookOptionNames = ["ablate", "hooks", "alone", "signal"] as const;

/**
 * The scores of every token of the vocabulary after each token of a text, `[T, V]`, as `model.logits` gives them, from a pass that
 * hooks read or change. The caller disposes of them.
 *
 *     using logits = run(model, "Once upon a time", { hooks: { "h.2.attn.head.1": (y) => y.mul(0.5) } });
 *
 * A value that is replaced by itself changes no bit.
 *
 * @throws OptionError for places that the model does not have; TypeError and ShapeMismatchError for what cannot take a value's place;
 *   TokenIdError, ContextLengthError
 */
export function run({ model, tokenizer }: Looked, text: Text, changes: Changes = {}): Tensor<[number, V]> {
  checkOptionNames(changes, ["ablate", "hooks"], "run");
  const listener = hookListener(model, hooksOfPass(model, changes));
  using batch = new Batch(model, [{ ids: idsOf("run", tokenizer, text) }]);
  return withHooks(model, listener, () => {
    using x = forward(model, batch);
    return tidy(() => logits(model, x));
  });
}

/** A pass over a text with hooks, with pauses in which no hook is called. The caller disposes of the result. */
export async function hookedPass(
  model: Model,
  ids: readonly number[],
  hooks: readonly PlacedHook[],
  signal: AbortSignal | undefined,
): Promise<Tensor<[T, C]>> {
  const listener = hookListener(model, hooks);
  signal?.throwIfAborted();
  using batch = new Batch(model, [{ ids }]);
  const steps = forwardInSteps(model, batch);
  const pause = pauses(signal);
  try {
    for (;;) {
      const step = withHooks(model, listener, () => steps.next());
      if (step.done) return step.value;
      await pause();
    }
  } catch (error) {
    steps.return(undefined as never);
    throw error;
  }
}
