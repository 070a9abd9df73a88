// What a thread loads when it is first asked to look inside its model.
import type { GPT2 } from "../gpt2.ts";
import type { Text } from "../language-model.ts";
import { startHooks, type TraceOptions, trace } from "../look/index.ts";
import { forgetReading } from "./next-logits.ts";
import { traceParts } from "./sent-trace.ts";

export { contributions, logitLens } from "../look/index.ts";
export { infoOf } from "./info.ts";
export { nextLogits } from "./next-logits.ts";

/** What switches the places of a model on again. */
const switchedOff = new WeakMap<GPT2, () => void>();

export function switchOff(model: GPT2, places: readonly string[]): void {
  const stop = startHooks(model, { ablate: places }); // throws for places that there are not
  switchedOff.get(model)?.();
  switchedOff.set(model, stop);
  forgetReading(model);
}

export async function* tracing(model: GPT2, text: Text, options: TraceOptions): ReturnType<typeof traceParts> {
  return yield* traceParts(await trace(model, text, options));
}
