import { runInNewContext } from "node:vm";
import { OptionError } from "@gpt2-ts/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TokenIdError } from "../../src/errors.ts";
import { Context } from "../../src/generate/context.ts";
import { nextToken } from "../../src/generate/sampling.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { SHAKESPEARE } from "../support/models.ts";

let model: GPT2;
// Called as JavaScript calls it: with whatever it has.
// biome-ignore lint/suspicious/noExplicitAny: that is what is tested
let untyped: any;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE);
  untyped = model;
});
afterAll(() => model.dispose());

const TEXT = "expected a text, or an array of token ids, got";

describe("an argument of the wrong kind is one error that says what was expected", () => {
  it.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    ["options for a prompt", () => untyped.generate({ prompt: "To be" }), TypeError, `generate: ${TEXT} { prompt }`],
    ["no prompt", () => untyped.generate(), TypeError, `generate: ${TEXT} undefined`],
    ["no prompt of a stream", () => untyped.stream().next(), TypeError, `generate: ${TEXT} undefined`],
    ["a number for a prompt", () => untyped.generate(5), TypeError, `generate: ${TEXT} 5`],
    [
      "tokens that are texts",
      () => untyped.generate(["To"]),
      TokenIdError,
      'token id "To" (at index 0) is outside the vocabulary',
    ],
    ["options as a text", () => untyped.generate("To be", "greedy"), TypeError, "options such as { temperature: …"],
    [
      "null to stop at",
      () => untyped.generate("To be", { stop: null }),
      OptionError,
      "stop: expected a text or an array of texts, got null",
    ],
    [
      "a number to stop at",
      () => untyped.generate("To be", { stop: [5] }),
      OptionError,
      "stop: expected texts of at least one character, got 5",
    ],
    ["a number to score", () => untyped.score(5), TypeError, `score: ${TEXT} 5`],
    ["half a token to score", () => untyped.score([1.5]), TokenIdError, "token id 1.5 (at index 0)"],
    ["null to score", () => untyped.score(null), TypeError, `score: ${TEXT} null`],
    [
      "one text for many",
      () => untyped.scoreAll("text"),
      TypeError,
      'scoreAll: expected an array of texts, got "text"; score takes one',
    ],
    ["a number among texts", () => untyped.scoreAll(["a", 5]), TypeError, `scoreAll: ${TEXT} 5`],
    ["a number to look into", () => untyped.hiddenStates(5), TypeError, `hiddenStates: ${TEXT} 5`],
    [
      "a promise to look into",
      () => untyped.attentionMaps(Promise.resolve("a")),
      TypeError,
      `attentionMaps: ${TEXT} a Promise`,
    ],
    ["nothing to look into", () => untyped.logits(), TypeError, `logits: ${TEXT} undefined`],
    ["a number to encode", () => untyped.tokenizer.encode(5), TypeError, "encode: expected a text, got 5"],
    ["nothing to encode", () => untyped.tokenizer.encode(), TypeError, "encode: expected a text, got undefined"],
    ["a text to decode", () => untyped.tokenizer.decode("5"), TypeError, 'decode: expected token ids, got "5"'],
    ["a number to decode", () => untyped.tokenizer.decode(5), TypeError, "decode: expected token ids, got 5"],
    ["a number to show", () => untyped.tokenizer.tokens(5), TypeError, "tokens: expected token ids, got 5"],
    [
      "a name for a model",
      () => new (GPT2 as never as new (name: string) => GPT2)("gpt2"),
      TypeError,
      "GPT2: expected a model and its tokenizer; GPT2.load and GPT2.fromPretrained make one by its name",
    ],
    [
      "no folder",
      () => GPT2.load(undefined as never),
      TypeError,
      "load: expected the path of a folder, a URL, or files by name, got undefined",
    ],
    ["a list of files", () => GPT2.load([] as never), TypeError, "load: expected the path of a folder"],
    [
      "a misspelt option of load",
      () => GPT2.load(SHAKESPEARE, { dtpye: "f32" } as never),
      OptionError,
      "dtpye: there is no such option",
    ],
    [
      "a folder's options as a text",
      () => GPT2.load(SHAKESPEARE, "int8" as never),
      TypeError,
      "expected options such as",
    ],
    [
      "a temperature of sampling",
      () => nextToken([1, 2], { temperature: -1 }),
      OptionError,
      "temperature: expected a number from 0, got -1",
    ],
  ])("%s", async (_, call, error, message) => {
    const failed = await (async () => call())().then(
      () => expect.fail("it took it"),
      (reason: unknown) => reason,
    );
    expect(failed).toBeInstanceOf(error);
    expect((failed as Error).message).toContain(message);
  });

  it("in a context too", async () => {
    using context = new Context(model.model);
    await expect(context.append("To" as never)).rejects.toThrow('append: expected an array of token ids, got "To"');
    await expect(context.branch("To" as never)).rejects.toThrow("branch: expected an array of continuations");
    await expect(context.branch([5] as never)).rejects.toThrow(
      "branch: expected continuations that are arrays of token ids, got 5",
    );
    expect(context.length).toBe(0);
  });
});

it("texts may be any array of ids: typed, or of another realm", async () => {
  const ids = model.tokenizer.encode("To be, or not to be");
  const { logprobs } = await model.score(ids);
  for (const same of [Int32Array.from(ids), runInNewContext(`[${ids}]`), runInNewContext(`Uint16Array.of(${ids})`)]) {
    expect((await model.score(same as never)).logprobs).toEqual(logprobs);
  }
});
