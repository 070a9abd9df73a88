import { createHash } from "node:crypto";
import { disposeModel, loadModel, type Model, modelSource } from "@gpt2-ts/gpt2";
import type { MatrixEncoding } from "@gpt2-ts/tensor";
import { describe, expect, test } from "vitest";
import { type Candidate, candidates } from "../src/accuracy/backends.ts";
import { decode, prefill } from "../src/accuracy/passes.ts";
import { modelFolder } from "../src/checkpoint.ts";
import { ErrorMeter, readReference } from "../src/reference-values.ts";

// What `npm run bench:logits` measures for all models and prompts, as tests on the small ones.
const names = ["synthetic-tiny", "shakespeare", "stories"] as const;

/**
 * The first 64 bits of the SHA-256 over all logits of all prompts of a model. Backends that promise the same bits everywhere must give these on
 * every engine and machine. A change of kernels may change them: then look at the errors below, and pin the new ones.
 */
const pinned: Record<string, Record<(typeof names)[number], string>> = {
  reference: {
    "synthetic-tiny": "d2714b893ae8348e",
    shakespeare: "77752ae4cc90d66c",
    stories: "c243bb9abb74b0f7",
  },
  "wasm, deterministic": {
    "synthetic-tiny": "a061b070469a193d",
    shakespeare: "6cc5cdcf28cd840b",
    stories: "9969c96620191877",
  },
};

/** The same with int8 weights and a float32 cache, on the deterministic build: whether the processor multiplies bytes or words. */
const pinnedInt8: Record<(typeof names)[number], string> = {
  "synthetic-tiny": "12db441862833865",
  shakespeare: "b211356eb3457aea",
  stories: "013f27f74dadfed7",
};

/** Of the residual stream, which reaches 18 in the shipped model. */
const hiddenBounds: Record<(typeof names)[number], number> = {
  "synthetic-tiny": 5e-6,
  shakespeare: 5e-6,
  stories: 1e-5,
};

async function load(
  name: (typeof names)[number],
  { backend }: Candidate,
  dtype: MatrixEncoding = "f32",
): Promise<Model> {
  return loadModel(await modelSource(await modelFolder(name)), { device: backend, dtype, cacheDtype: "f32" });
}

describe.each(candidates())("$name", (candidate) => {
  describe.each(names)("on %s", (name) => {
    test("meets the float64 logits, log-probabilities and residual streams", async () => {
      const model = await load(name, candidate);
      const prompts = await readReference(name);
      const all = createHash("sha256");
      for (const prompt of prompts.filter(({ ids }) => ids.length <= candidate.maxLength)) {
        const whole = await prefill(model, prompt);
        const { max, rms } = new ErrorMeter().add(whole.logits, prompt.logits).summary();
        expect(max, prompt.name).toBeLessThan(2e-5);
        expect(rms, prompt.name).toBeLessThan(3e-6);
        expect(new ErrorMeter().add(whole.logprobs, prompt.logprobs).summary().max, prompt.name).toBeLessThan(2e-5);
        if (prompt.hidden) {
          const size = prompt.ids.length * model.config.nEmbd;
          for (const [layer, hidden] of whole.hidden.entries()) {
            const expected = prompt.hidden.subarray(layer * size, (layer + 1) * size);
            expect(new ErrorMeter().add(hidden, expected).summary().max, `block ${layer}`).toBeLessThan(
              hiddenBounds[name],
            );
          }
        }
        expect((await decode(model, prompt)).digest, `${prompt.name} token by token`).toBe(whole.digest);
        all.update(whole.digest);
      }
      disposeModel(model);
      const expected = pinned[candidate.name]?.[name];
      if (expected !== undefined) expect(all.digest("hex").slice(0, 16)).toBe(expected);
    });
  });
});

describe.each(names)("int8 on %s", (name) => {
  test("has the same bits at once and token by token, and on every processor", async () => {
    for (const candidate of candidates().filter(({ name }) => name !== "reference")) {
      const model = await load(name, candidate, "int8");
      const all = createHash("sha256");
      for (const prompt of await readReference(name)) {
        const whole = await prefill(model, prompt);
        expect((await decode(model, prompt)).digest, `${prompt.name} token by token`).toBe(whole.digest);
        all.update(whole.digest);
      }
      disposeModel(model);
      if (candidate.name === "wasm, deterministic") expect(all.digest("hex").slice(0, 16)).toBe(pinnedInt8[name]);
      candidate.dispose();
    }
  });
});
