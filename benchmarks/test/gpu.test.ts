import { disposeModel, loadModel, modelSource } from "@gpt2-ts/gpt2";
import type { Backend } from "@gpt2-ts/tensor";
import { expect, test } from "vitest";
import { describeOnGpu } from "../../packages/tensor/test/gpu/modes.ts";
import { decode, prefill } from "../src/accuracy/passes.ts";
import { ensureCheckpoint } from "../src/checkpoint.ts";
import { SHAKESPEARE } from "../src/paths.ts";
import { ErrorMeter, readReference } from "../src/reference-values.ts";

/** Issue 3, "Done when" 2. */
const BOUND = 2e-4;

await describeOnGpu("models", (backend) => {
  test.each([
    { name: "synthetic-tiny", longest: 64 },
    { name: "shakespeare", longest: 36 },
  ] as const)("$name: the logits meet float64, at once and token by token, without ops on the CPU", async (choice) => {
    const { name, longest } = choice;
    backend.fallbacks.clear();
    const folder = name === "shakespeare" ? SHAKESPEARE : await ensureCheckpoint(name);
    const model = await loadModel(await modelSource(folder), { device: backend as unknown as Backend });
    const prompts = (await readReference(name)).filter(({ ids }) => ids.length <= longest);
    expect(prompts.length).toBeGreaterThan(0);
    for (const prompt of prompts) {
      // The residual stream is watched synchronously, which a GPU does not allow.
      for (const pass of [prefill, decode]) {
        const { logits, logprobs } = await pass(model, { ...prompt, hidden: undefined });
        expect(new ErrorMeter().add(logits, prompt.logits).summary().max, prompt.name).toBeLessThan(BOUND);
        expect(new ErrorMeter().add(logprobs, prompt.logprobs).summary().max, prompt.name).toBeLessThan(BOUND);
      }
    }
    disposeModel(model);
    expect(backend.fallbacks.entries()).toEqual([]);
  });
});
