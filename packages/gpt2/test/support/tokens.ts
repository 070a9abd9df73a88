import { Scheduler } from "../../src/generate/scheduler.ts";
import type { FinishReason, GeneratedToken, SequenceOptions } from "../../src/generate/sequence.ts";
import type { Logprobs } from "../../src/model/logprobs.ts";
import type { Model } from "../../src/model/model.ts";

export interface Tokens {
  readonly ids: readonly number[];
  readonly tokens: readonly GeneratedToken[];
  readonly prompt: Logprobs | undefined;
  readonly reason: FinishReason;
}

/** What comes of a text that is generated alone. */
export async function generatedAlone(model: Model, options: SequenceOptions, onStep = (): void => {}): Promise<Tokens> {
  const tokens: GeneratedToken[] = [];
  let prompt: Logprobs | undefined;
  let reason: FinishReason | undefined;
  let failure: { readonly error: unknown } | undefined;
  const scheduler = new Scheduler(model);
  scheduler.add(options, {
    prompt: (logprobs) => {
      prompt = logprobs;
    },
    token: (token) => {
      tokens.push(token);
      return false;
    },
    end: (how) => {
      reason = how;
    },
    fail: (error) => {
      failure = { error };
    },
  });
  while (scheduler.busy) {
    await scheduler.step();
    onStep();
  }
  if (failure) throw failure.error;
  return { ids: tokens.map(({ id }) => id), tokens, prompt, reason: reason! };
}
