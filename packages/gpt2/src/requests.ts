import { showValue } from "@gpt2-ts/tensor/options";
import type { PromptOptions } from "./generate/generate.ts";
import type { GenerateRequest, Text } from "./language-model.ts";
import { idsOf } from "./text-ids.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

/** Throws a TypeError that names the methods unless `value` is an array. */
export function expectArray(method: string, ofWhat: string, value: unknown, single: string): void {
  if (Array.isArray(value)) return;
  throw new TypeError(`${method}: expected an array of ${ofWhat}, got ${showValue(value)}; ${single} takes one`);
}

/** Prompts in the one form that they all come to. */
export function asRequests(method: string, prompts: readonly (Text | GenerateRequest)[]): GenerateRequest[] {
  expectArray(method, "prompts", prompts, method === "eventsAll" ? "events" : "generate");
  return prompts.map((each) => (isRequest(each) ? each : { prompt: each }));
}

/** The same with prompts in tokens. */
export function promptsOf(
  method: string,
  prompts: readonly (Text | GenerateRequest)[],
  tokenizer: Tokenizer,
): PromptOptions[] {
  return asRequests(method, prompts).map((each) => ({ ...each, prompt: idsOf(method, tokenizer, each.prompt) }));
}

function isRequest(prompt: Text | GenerateRequest): prompt is GenerateRequest {
  return typeof prompt === "object" && prompt !== null && "prompt" in prompt;
}
