import { GPT2, loadModel, modelSource, Tokenizer } from "@gpt2-ts/gpt2";
import { describe, expect, it } from "vitest";
import { ensureCheckpoint } from "../../../benchmarks/src/checkpoint.ts";
import { readReference } from "../../../benchmarks/src/reference-values.ts";
import { gpt2Files } from "../../gpt2/test/tokenizer/support/gpt2-vocabulary.ts";
import { logLikelihood } from "../src/likelihood.ts";

// The checkpoint (498 MB) is built from its formula the first time.
describe("on a model of the size of GPT-2 small", { timeout: 300_000 }, () => {
  it("the log-likelihood is what float64 arithmetic gives, to 1e-3 relative", async () => {
    const source = await modelSource(await ensureCheckpoint("synthetic-124m"));
    using model = new GPT2(await loadModel(source), Tokenizer.fromVocab(gpt2Files()));
    const prompt = (await readReference("synthetic-124m")).find(({ name }) => name === "T64")!;
    const expected = prompt.logprobs.reduce((sum, logprob) => sum + logprob, 0);
    const got = await logLikelihood(model, Array.from(prompt.ids));
    expect(prompt.logprobs).toHaveLength(63);
    expect(Math.abs(got - expected)).toBeLessThan(1e-3 * Math.abs(expected));
  });
});
