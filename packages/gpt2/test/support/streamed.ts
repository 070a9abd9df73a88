import type { GenerateOptions } from "../../src/generate/options.ts";
import type { Generation } from "../../src/generate/text.ts";
import type { GPT2 } from "../../src/gpt2.ts";
import type { Text } from "../../src/language-model.ts";

/** All of a stream: its pieces, and what it returns at the end. */
export async function streamed(
  model: GPT2,
  prompt: Text,
  options: GenerateOptions,
): Promise<{ pieces: string[]; result: Generation }> {
  const pieces: string[] = [];
  const stream = model.stream(prompt, options);
  while (true) {
    const step = await stream.next();
    if (step.done) return { pieces, result: step.value };
    pieces.push(step.value);
  }
}
