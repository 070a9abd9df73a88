import { GPT2 } from "@gpt2-ts/gpt2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { referenceValues } from "../../gpt2/test/support/models.ts";
import { defaultCourseData } from "../src/default-sets.ts";
import { characters, logLikelihood, logLikelihoods, perCharacter } from "../src/likelihood.ts";
import { SHAKESPEARE } from "./support/models.ts";

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
});
afterAll(() => model.dispose());

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

describe("the log-likelihood of a text", () => {
  it.each(["A", "B"] as const)("is what float64 arithmetic gives (prompt %s)", async (name) => {
    const { ids, logprobs } = await referenceValues(name);
    const expected = sum(logprobs);
    const text = model.tokenizer.decode(ids);
    expect(model.tokenizer.encode(text)).toEqual(ids);
    expect(Math.abs((await logLikelihood(model, text)) - expected)).toBeLessThan(1e-5 * Math.abs(expected));
  });

  it("is the same in a batch of 100 as alone, and on one thread as on two", async () => {
    const { random, shakespeare, papers } = await defaultCourseData(1);
    const texts = [...random.texts.slice(0, 30), ...shakespeare.texts.slice(0, 40), ...papers.texts.slice(0, 30)];
    expect(texts).toHaveLength(100);
    const together = await logLikelihoods(model, texts);
    for (const [i, text] of texts.entries()) expect(await logLikelihood(model, text)).toBe(together[i]);
    for (const threads of [1, 2]) {
      using other = await GPT2.load(SHAKESPEARE, { threads });
      expect(await logLikelihoods(other, texts)).toEqual(together);
    }
  });

  it("is 0 for no token, and for one: the first is given", async () => {
    expect(await logLikelihoods(model, ["", "a", "to be"])).toEqual([0, 0, await logLikelihood(model, "to be")]);
    expect(model.tokenizer.encode("a")).toHaveLength(1);
  });

  it("of more tokens than the context has comes from windows half a context apart", async () => {
    const { nPositions } = model.config;
    const ids = model.tokenizer
      .encode("Now is the winter of our discontent, made glorious summer. ".repeat(30))
      .slice(0, 420);
    expect(ids).toHaveLength(420);
    const windows = [0, nPositions / 2, nPositions].map((start) => ids.slice(start, start + nPositions));
    const [first, second, third] = await Promise.all(windows.map((window) => model.score(window)));
    // Tokens 256 to 383 follow in the second window, 384 to 419 in the third.
    const expected =
      first!.logLikelihood + sum(second!.logprobs.slice(-nPositions / 2)) + sum(third!.logprobs.slice(-(420 - 384)));
    expect(await logLikelihood(model, ids)).toBeCloseTo(expected, 6);
  });

  it("can be had per character: per code point, and 0 for none", () => {
    expect(characters("a🙂é")).toBe(3);
    expect(perCharacter(-6, "a🙂é")).toBe(-2);
    expect(perCharacter(0, "")).toBe(0);
  });

  it("is told of as it goes, and ends early when aborted", async () => {
    const scored: number[] = [];
    await logLikelihoods(model, ["to be", "or not"], { onProgress: (progress) => scored.push(progress.scored) });
    expect(scored.at(-1)).toBe(2);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(logLikelihood(model, "to be", { signal })).rejects.toThrow("enough");
  });
});
