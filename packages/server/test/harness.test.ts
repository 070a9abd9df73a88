/** What lm-evaluation-harness needs of a server, rule by rule (`local-completions`). */
import { GPT2 } from "@gpt2-ts/gpt2";
import { describe, expect, it, onTestFinished } from "vitest";
import { SAME_TEXT, withLogits } from "./support/given-logits.ts";
import { type AnswerChoice, type ErrorAnswer, PROMPT, served, serving } from "./support/server.ts";

const { complete, post, url } = await serving();
const model = await served();
const { tokenizer } = model;
const asked = { temperature: 0, max_tokens: 1, logprobs: 1, echo: true, seed: 1234 };

/** The harness's own arithmetic. */
function parsed({ logprobs }: AnswerChoice, contextLength: number): { sum: number; greedy: boolean } {
  const own = logprobs!.token_logprobs.slice(contextLength, -1) as number[];
  const top = logprobs!.top_logprobs.slice(contextLength, -1);
  return {
    sum: own.reduce((sum, each) => sum + each, 0),
    greedy: own.every((each, i) => each === Math.max(...Object.values(top[i]!))),
  };
}

const texts = [PROMPT, "O Romeo, Romeo! wherefore art thou Romeo?", "\u{1f600} naïve — ☃", "a\u0000b"];
const prompts = texts.map((text) => tokenizer.encode(text));

describe("what lm-evaluation-harness posts", () => {
  it("is answered by prompt + 1 entries: null first, then numbers, an object each", async () => {
    const { choices } = await complete({ prompt: prompts, ...asked });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    for (const [i, { logprobs }] of choices.entries()) {
      const { tokens, token_logprobs, top_logprobs, text_offset } = logprobs!;
      for (const list of [tokens, token_logprobs, top_logprobs, text_offset]) {
        expect(list).toHaveLength(prompts[i]!.length + 1);
      }
      expect([token_logprobs[0], top_logprobs[0]]).toEqual([null, null]);
      for (const logprob of token_logprobs.slice(1)) expect(logprob).toBeLessThanOrEqual(0);
      for (const [j, top] of top_logprobs.slice(1).entries()) {
        expect(Object.keys(top!).length).toBeGreaterThan(0);
        expect(top![tokens[j + 1]!]).toBeGreaterThanOrEqual(token_logprobs[j + 1]!);
      }
    }
  });

  it("has the log-probabilities of score, to the bit", async () => {
    const { choices } = await complete({ prompt: prompts, ...asked });
    const scores = await model.scoreAll(prompts, { top: 1 });
    for (const [i, choice] of choices.entries()) {
      const { logprobs, alternatives, logLikelihood } = scores[i]!;
      expect(choice.logprobs!.token_logprobs.slice(1, -1)).toEqual(logprobs);
      const best = alternatives!.map(([first]) => first!.logprob);
      expect(choice.logprobs!.top_logprobs.slice(1, -1).map((top) => Math.max(...Object.values(top!)))).toEqual(best);
      expect(parsed(choice, 1).sum).toBe(logLikelihood);
    }
  });

  it("tells a greedy continuation by equal doubles", async () => {
    const { ids } = await model.generate(PROMPT, { temperature: 0, maxTokens: 12 });
    const context = tokenizer.encode(PROMPT);
    const { choices } = await complete({
      prompt: [
        [...context, ...ids],
        [...context, ...ids.slice(0, 5), 7],
      ],
      ...asked,
    });
    expect(choices.map((choice) => parsed(choice, context.length).greedy)).toEqual([true, false]);
  });

  it("is about the raw logits, whatever the temperature and the biases", async () => {
    const raw = await complete({ prompt: prompts, ...asked, logprobs: 5 });
    const other = await complete({ prompt: prompts, ...asked, logprobs: 5, temperature: 0.1, logit_bias: { 3: -100 } });
    for (const [i, { logprobs }] of other.choices.entries()) {
      expect(logprobs!.token_logprobs.slice(0, -1)).toEqual(raw.choices[i]!.logprobs!.token_logprobs.slice(0, -1));
    }
  });

  it("has the generated token among the lists even if it ends the text", async () => {
    const end = tokenizer.endOfText!;
    const { choices, usage } = await complete({ prompt: PROMPT, ...asked, logit_bias: { [end]: 100 } });
    const { logprobs, text, finish_reason } = choices[0]!;
    expect(logprobs!.tokens.at(-1)).toBe("<|endoftext|>");
    expect(logprobs!.token_logprobs.at(-1)).toBeLessThan(0);
    expect(logprobs!.tokens).toHaveLength(tokenizer.encode(PROMPT).length + 1);
    expect([text, finish_reason]).toEqual([PROMPT, "stop"]);
    expect(usage.completion_tokens).toBe(1);
  });

  it("counts text_offset in code points of the text", async () => {
    const { choices } = await complete({ prompt: prompts, ...asked });
    for (const [i, { text, logprobs }] of choices.entries()) {
      const characters = [...text];
      const starts = prompts[i]!.map((_, j) => [...tokenizer.decode(prompts[i]!.slice(0, j))]);
      for (const [j, offset] of logprobs!.text_offset.slice(0, -1).entries()) {
        const whole = starts[j]!.filter((character) => character !== "\ufffd").length;
        expect(offset).toBe(whole);
        expect(characters.slice(0, offset).join("")).toBe(starts[j]!.slice(0, offset).join(""));
      }
    }
  });

  it("takes n_positions - 1 ids, and refuses more, naming the limit and the setting", async () => {
    const ids = Array.from({ length: 255 }, (_, i) => (i * 7) % 1000);
    const { choices } = await complete({ prompt: [ids], ...asked });
    expect(choices[0]!.logprobs!.tokens).toHaveLength(256);
    const response = await post("/v1/completions", { prompt: [[...ids, 1]], ...asked });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as ErrorAnswer;
    expect(error.message).toMatch(/context is 256 tokens.*max_length/);
  });

  it("can be had without a generated token", async () => {
    const { choices, usage } = await complete({ prompt: prompts, ...asked, max_tokens: 0 });
    const { choices: more } = await complete({ prompt: prompts, ...asked });
    for (const [i, { text, logprobs, finish_reason }] of choices.entries()) {
      expect([text, finish_reason]).toEqual([tokenizer.decode(prompts[i]!), "length"]);
      expect(logprobs!.token_logprobs).toEqual(more[i]!.logprobs!.token_logprobs.slice(0, -1));
      expect(logprobs!.top_logprobs).toEqual(more[i]!.logprobs!.top_logprobs.slice(0, -1));
    }
    expect(usage.completion_tokens).toBe(0);
  });
});

describe("tokens that are impossible, equally likely, or have one text", () => {
  /** What a model of such logits is answered for texts of ids, and the model. */
  async function answers(
    logitOf: (token: string) => number,
    idsOf: (id: (token: string) => number) => readonly (readonly number[])[],
    logprobs: number,
  ): Promise<{ choices: readonly AnswerChoice[]; model: GPT2; prompt: readonly (readonly number[])[] }> {
    const { folder, idOf } = await withLogits(logitOf);
    const model = await GPT2.load(folder, { threads: 1 });
    onTestFinished(() => model.dispose());
    const server = await serving({}, {}, folder);
    const prompt = idsOf(idOf);
    const { choices } = await server.complete({ prompt, ...asked, logprobs });
    return { choices, model, prompt };
  }

  it("an impossible one has -9999 where JSON has no -Infinity, in both lists", async () => {
    const possible: Readonly<Record<string, number>> = { a: 2, b: 1, c: 0 };
    const { choices, model, prompt } = await answers(
      (token) => possible[token] ?? Number.NEGATIVE_INFINITY,
      (id) => [
        [id("a"), id("z"), id("b")],
        [id("z"), id("a"), id("z")],
      ],
      20,
    );
    const scores = await model.scoreAll(prompt);
    expect(scores.map(({ logprobs }) => logprobs.map(Number.isFinite))).toEqual([
      [false, true],
      [true, false],
    ]);
    for (const [i, choice] of choices.entries()) {
      const { token_logprobs, top_logprobs } = choice.logprobs!;
      const told = scores[i]!.logprobs.map((logprob) => (Number.isFinite(logprob) ? logprob : -9999));
      expect(token_logprobs.slice(0, -1)).toEqual([null, ...told]);
      for (const top of top_logprobs.slice(1)) {
        const values = Object.values(top!);
        expect(values.length).toBeGreaterThanOrEqual(20);
        expect(values.filter((logprob) => logprob !== -9999)).toHaveLength(3);
      }
      expect(parsed(choice, 1).sum).toBe(told[0]! + told[1]!);
      expect(parsed(choice, 1).greedy).toBe(false);
    }
  });

  it("of two likeliest ones each is the greedy one; the generated one has the lower id", async () => {
    for (const count of [1, 2]) {
      const { choices } = await answers(
        (token) => (token === "b" || token === "d" ? 3 : 0),
        (id) => ["b", "d", "c"].map((token) => [id("a"), id(token)]),
        count,
      );
      expect(choices.map((choice) => parsed(choice, 1).greedy)).toEqual([true, true, false]);
      const best = choices[0]!.logprobs!.token_logprobs[1]!;
      expect(choices.map(({ logprobs }) => Object.entries(logprobs!.top_logprobs[1]!))).toEqual([
        count === 1
          ? [["b", best]]
          : [
              ["b", best],
              ["d", best],
            ],
        [
          ["b", best],
          ["d", best],
        ],
        [["b", best], ...(count === 1 ? [] : [["d", best]]), ["c", choices[2]!.logprobs!.token_logprobs[1]]],
      ]);
      expect(choices.map(({ logprobs }) => logprobs!.tokens[2])).toEqual(["b", "b", "b"]);
    }
  });

  it.each([
    ["the byte is the likelier", 5, 4, [true, false]],
    ["the characters are", 4, 5, [false, true]],
    ["they are equally likely", 5, 5, [true, true]],
  ])("of two with one text the larger number stands under it: %s", async (_, byte, characters, greedy) => {
    const E2 = "â"; // the symbol of the byte
    const { choices } = await answers(
      (token) => ({ [E2]: byte, [SAME_TEXT]: characters })[token] ?? 0,
      (id) => [E2, SAME_TEXT].map((token) => [id("a"), id(token)]),
      1,
    );
    expect(choices.map(({ logprobs }) => logprobs!.tokens[1])).toEqual([SAME_TEXT, SAME_TEXT]);
    expect(choices.map((choice) => parsed(choice, 1).greedy)).toEqual(greedy);
    const larger = Math.max(...choices.map(({ logprobs }) => logprobs!.token_logprobs[1]!));
    for (const { logprobs } of choices) expect(logprobs!.top_logprobs[1]).toEqual({ [SAME_TEXT]: larger });
  });
});

describe("its remote tokenizer", () => {
  const ask = async (path: string, body: object): Promise<unknown> => (await post(path, body)).json();

  it("tokenizes, with special tokens as one id, and back", async () => {
    for (const text of [...texts, ""]) {
      const { tokens } = (await ask("/tokenize", { prompt: text, add_special_tokens: false })) as { tokens: number[] };
      expect(tokens).toEqual(tokenizer.encode(text));
      expect(await ask("/detokenize", { tokens })).toEqual({ prompt: text });
    }
    expect(await ask("/tokenize", { prompt: "<|endoftext|>", add_special_tokens: true })).toEqual({
      ...{ tokens: [tokenizer.endOfText], count: 1, max_model_len: 256 },
    });
    expect(await ask("/detokenize", { tokens: [tokenizer.endOfText] })).toEqual({ prompt: "<|endoftext|>" });
    const long = "word and more ".repeat(10_000);
    expect(((await ask("/tokenize", { prompt: long })) as { tokens: number[] }).tokens).toEqual(tokenizer.encode(long));
  });

  it("refuses what is no id", async () => {
    for (const id of [-1, 1024, 0.5, "a", null]) {
      const response = await post("/detokenize", { tokens: [1, id] });
      expect(response.status).toBe(400);
      expect(((await response.json()) as ErrorAnswer).error.message).toMatch(/^tokens\[1\]: expected a token id/);
    }
  });

  it("knows the special tokens", async () => {
    expect(await (await fetch(`${url}/tokenizer_info`)).json()).toEqual({
      ...{ model: "shakespeare", eos_token: "<|endoftext|>", bos_token: "<|endoftext|>" },
      ...{ pad_token: null, chat_template: null },
    });
  });
});
