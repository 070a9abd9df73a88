import { OptionError } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateOptions } from "../../src/generate/options.ts";
import type { Generation } from "../../src/generate/text.ts";
import { GPT2 } from "../../src/gpt2.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { SHAKESPEARE, scriptedModel } from "../support/models.ts";
import { streamed } from "../support/streamed.ts";

let shakespeare: GPT2;
let tokenizer: Tokenizer;
beforeAll(async () => {
  shakespeare = await GPT2.load(SHAKESPEARE);
  tokenizer = shakespeare.tokenizer;
});
afterAll(() => shakespeare.dispose());

/** A model that answers the prompt of one token with these tokens. */
const scripted = (ids: readonly number[]): GPT2 => new GPT2(scriptedModel([...ids, 0, 0], 1024), tokenizer);

describe("stream and generate", () => {
  it("give the same text for the same seed, and another for another", async () => {
    const options = { maxTokens: 60, temperature: 0.8, seed: 1 };
    const { pieces, result } = await streamed(shakespeare, "To be, or not", options);
    expect(pieces.length).toBeGreaterThan(30);
    expect(pieces.join("")).toBe(result.text);
    expect(await shakespeare.generate("To be, or not", options)).toEqual(result);
    expect((await shakespeare.generate("To be, or not", { ...options, seed: 2 })).text).not.toBe(result.text);
  });

  it("give this very text for this seed, on every engine and version of Node", async () => {
    const options = { maxTokens: 80, temperature: 0.8, topP: 0.95, seed: 1, logprobs: true };
    using model = await GPT2.load(SHAKESPEARE, { deterministic: true });
    const { text, logprobs } = await model.generate("To be, or not", options);
    expect(text).toBe(
      " unlaw you.\n\nMARIANA:\nO, then she's dead, I am a last.\n\nMARIANA:\nYes, I am fellow, sir, sir, that you'll " +
        "private,\nThat I be the king is hereinsue:\nI come to my name, and girl",
    );
    // To the last bit; another order of summation in a kernel is the one good reason for another number here.
    expect(logprobs!.reduce((sum, logprob) => sum + logprob, 0)).toBe(-167.13734839198878);
  });

  it("report what they did: prompt, tokens, seed, and why they ended", async () => {
    const result = await shakespeare.generate("To be", { maxTokens: 8, seed: 5 });
    expect(result).toEqual({
      text: tokenizer.decode(result.ids),
      ids: expect.objectContaining({ length: 8 }),
      promptIds: tokenizer.encode("To be"),
      finishReason: "length",
      seed: 5,
      logprobs: undefined,
      promptLogprobs: undefined,
      alternatives: undefined,
      promptAlternatives: undefined,
      speculation: undefined,
    } satisfies Record<keyof Generation, unknown>);
  });

  it("draw a seed of their own when none is given, and tell it", async () => {
    const first = await shakespeare.generate("To be", { maxTokens: 20 });
    const second = await shakespeare.generate("To be", { maxTokens: 20 });
    expect(first.seed).not.toBe(second.seed);
    expect((await shakespeare.generate("To be", { maxTokens: 20, seed: first.seed })).text).toBe(first.text);
  });

  it("end at any token that the config names, and begin with its bos_token_id", async () => {
    const { model } = scripted([5, 17, 10, 3]);
    const told = (config: Partial<typeof model.config>): GPT2 =>
      new GPT2({ ...model, config: { ...model.config, ...config } }, tokenizer);
    const several = told({ eosTokenIds: [999, 10], bosTokenId: 7 });
    expect(await several.generate([1])).toMatchObject({ ids: [5, 17], finishReason: "eos" });
    expect(await several.generate("")).toMatchObject({ promptIds: [7], ids: [5, 17] });
    expect((await several.generate([1], { stopAtEndOfText: false, maxTokens: 4 })).ids).toEqual([5, 17, 10, 3]);
    const beyond = told({ eosTokenIds: [60_000], bosTokenId: 60_000 });
    expect(await beyond.generate([1], { maxTokens: 4 })).toMatchObject({ ids: [5, 17, 10, 3], finishReason: "length" });
    expect((await beyond.generate("")).promptIds).toEqual([tokenizer.startOfText]);
  });

  it("take ids for a prompt, and begin a new text when the prompt is empty", async () => {
    const options = { maxTokens: 10, seed: 4 };
    const byText = await shakespeare.generate("To be", options);
    expect(await shakespeare.generate(tokenizer.encode("To be"), options)).toEqual(byText);
    const fromNothing = await shakespeare.generate("", options);
    expect(fromNothing.promptIds).toEqual([tokenizer.endOfText]);
    expect(await shakespeare.generate([tokenizer.endOfText!], options)).toEqual(fromNothing);
  });

  it("tell log-probabilities that scoring prompt and output confirms", async () => {
    const result = await shakespeare.generate("To be", { maxTokens: 30, seed: 2, logprobs: true });
    const score = await shakespeare.score([...result.promptIds, ...result.ids]);
    expect(result.promptLogprobs).toHaveLength(result.promptIds.length - 1);
    for (const [i, logprob] of [...result.promptLogprobs!, ...result.logprobs!].entries()) {
      expect(logprob).toBeCloseTo(score.logprobs[i]!, 4);
    }
  });

  it("end at <|endoftext|> unless told otherwise", async () => {
    const end = tokenizer.endOfText!;
    const script = [...tokenizer.encode("The end"), end, ...tokenizer.encode(" or not")];
    const model = scripted(script);
    const options = { greedy: true, maxTokens: script.length };
    expect(await model.generate([0], options)).toMatchObject({ text: "The end", finishReason: "eos" });
    const on = await model.generate([0], { ...options, stopAtEndOfText: false });
    expect(on).toMatchObject({ text: "The end<|endoftext|> or not", finishReason: "length" });
  });

  it("never hand out half a character", async () => {
    const text = "naïve 😀 漢字 🇩🇪";
    const ids = tokenizer.encode(text);
    expect(ids.length).toBeGreaterThan([...text].length); // characters are spread over tokens
    const { pieces } = await streamed(scripted(ids), [0], { greedy: true, maxTokens: ids.length });
    expect(pieces.join("")).toBe(text);
    for (const piece of pieces) expect(piece).not.toMatch(/\ufffd|\p{Surrogate}/u);
  });

  it("end a character that the model left unfinished as decode does", async () => {
    const ids = tokenizer.encode("😀").slice(0, -1);
    const { pieces, result } = await streamed(scripted(ids), [0], { greedy: true, maxTokens: ids.length });
    expect(result.text).toBe(tokenizer.decode(ids));
    expect(pieces).toEqual(["\ufffd"]);
  });

  it("put together are what decode gives, for any tokens", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 1022 }), { minLength: 1, maxLength: 12 }), async (ids) => {
        const { pieces, result } = await streamed(scripted(ids), [0], { greedy: true, maxTokens: ids.length });
        expect(result.ids).toEqual(ids);
        expect(pieces.join("")).toBe(tokenizer.decode(ids));
        for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: 50 },
    );
  });
});

describe("stop texts", () => {
  it("end the output before them, wherever token boundaries are", async () => {
    const options = { greedy: true, maxTokens: 40 };
    const { text } = await shakespeare.generate("ROMEO:\n", options);
    const end = fc.integer({ min: 0, max: text.length });
    await fc.assert(
      fc.asyncProperty(end, fc.integer({ min: 1, max: 8 }), async (start, length) => {
        const stop = text.slice(start, start + length);
        fc.pre(stop !== "");
        const { pieces, result } = await streamed(shakespeare, "ROMEO:\n", { ...options, stop });
        expect(result.finishReason).toBe("stop");
        expect(result.text).toBe(text.slice(0, text.indexOf(stop)));
        expect(pieces.join("")).toBe(result.text);
      }),
      { numRuns: 15 },
    );
  });

  it("keep the tokens that made them up in the ids, and stop generating there", async () => {
    const ids = tokenizer.encode("one two three");
    const result = await scripted(ids).generate([0], { greedy: true, stop: ["absent", " two"], maxTokens: ids.length });
    expect(result.text).toBe("one");
    expect(tokenizer.decode(result.ids).startsWith("one two")).toBe(true);
    expect(result.ids.length).toBeLessThan(ids.length);
  });

  it("let the text through that only began like one", async () => {
    const ids = tokenizer.encode("one tw");
    const result = await scripted(ids).generate([0], { greedy: true, stop: " two", maxTokens: ids.length });
    expect(result).toMatchObject({ text: "one tw", finishReason: "length" });
  });
});

describe("an option that makes no sense is refused by name", () => {
  it.each([
    [{ maxTokens: 0 }, "maxTokens"],
    [{ seed: 0.5 }, "seed"],
    [{ stop: "" }, "stop"],
    [{ stop: 5 }, "stop"],
    [{ stop: null }, "stop"],
    [{ seed: -1 }, "seed"],
    [{ topK: 0 }, "topK"],
    [{ logprobs: 1 }, "logprobs"],
    [{ logprobs: true, promptLogprobs: 1 }, "promptLogprobs"],
    [{ promptLogprobs: true }, "promptLogprobs"],
    [{ temperature: -1 }, "temperature"],
    [{ topk: 5 }, "topk"],
    [{ numBeams: 2 }, "numBeams"],
    [{ stopAtEndOfText: "no" }, "stopAtEndOfText"],
  ])("%j", async (options, option) => {
    const refused = shakespeare.generate("a", options as GenerateOptions);
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toMatchObject({ option });
  });
});
