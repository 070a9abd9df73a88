import { describe, expect, it } from "vitest";
import { type ErrorAnswer, NAME, PROMPT, served, serving } from "./support/server.ts";

const { complete, post, threads } = await serving();
const model = await served();

describe("POST /v1/completions", () => {
  it("gives what generate gives, to the bit, for text and for ids", async () => {
    const options = { seed: 7, temperature: 0.8, top_p: 0.9, top_k: 40, min_p: 0.01, max_tokens: 24 };
    const expected = await model.generate(PROMPT, {
      ...{ seed: 7, temperature: 0.8, topP: 0.9, topK: 40, minP: 0.01, maxTokens: 24 },
    });
    for (const prompt of [PROMPT, model.tokenizer.encode(PROMPT)]) {
      const answer = await complete({ model: NAME, prompt, ...options });
      expect(answer).toMatchObject({
        id: expect.stringMatching(/^cmpl-[0-9a-f]{32}$/),
        object: "text_completion",
        model: NAME,
        choices: [{ text: expected.text, index: 0, logprobs: null, finish_reason: "length" }],
        usage: { prompt_tokens: 7, completion_tokens: 24, total_tokens: 31 },
      });
    }
  });

  it("takes lists of texts and of ids, and n texts of each, in order, with seeds that follow each other", async () => {
    const texts = ["To be", "The king", "O Romeo"];
    const expected = await model.generateAll(texts, { samples: 2, seed: 3, maxTokens: 12 });
    for (const prompt of [texts, texts.map((text) => model.tokenizer.encode(text))]) {
      const { choices, usage } = await complete({ prompt, n: 2, seed: 3, max_tokens: 12 });
      expect(choices.map(({ text }) => text)).toEqual(expected.map(({ text }) => text));
      expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
      const generated = expected.reduce(
        (sum, { ids, finishReason }) => sum + ids.length + +(finishReason === "eos"),
        0,
      );
      const prompts = texts.reduce((sum, text) => sum + model.tokenizer.encode(text).length, 0);
      expect(usage).toEqual({
        prompt_tokens: prompts,
        completion_tokens: generated,
        total_tokens: prompts + generated,
      });
    }
  });

  it("draws 16 tokens unless told otherwise, fewer where the context has no room for them", async () => {
    expect((await complete({ prompt: PROMPT })).usage.completion_tokens).toBeLessThanOrEqual(16);
    const ids = Array.from({ length: model.config.nPositions - 3 }, (_, i) => i % 500);
    const { usage, choices } = await complete({ prompt: ids, logit_bias: { 1023: -100 } });
    expect(usage.completion_tokens).toBe(3);
    expect(choices[0]!.finish_reason).toBe("length");
  });

  it("begins a text where the prompt is empty or not there", async () => {
    const { text } = await model.generate("", { seed: 5, maxTokens: 10 });
    for (const body of [{}, { prompt: "" }, { prompt: null }, { prompt: [""] }, { prompt: "<|endoftext|>" }]) {
      const { choices, usage } = await complete({ ...body, seed: 5, max_tokens: 10 });
      expect(choices[0]!.text).toBe(text);
      expect(usage.prompt_tokens).toBe(1);
    }
  });

  it("ends before a stop text, whatever of it came before", async () => {
    const whole = await model.generate(PROMPT, { temperature: 0, maxTokens: 40 });
    const stop = whole.text.slice(12, 17);
    for (const given of [stop, [stop], ["never to be found", stop]]) {
      const { choices } = await complete({ prompt: PROMPT, temperature: 0, max_tokens: 40, stop: given });
      expect(choices[0]).toMatchObject({ text: whole.text.slice(0, whole.text.indexOf(stop)), finish_reason: "stop" });
    }
  });

  it("takes biases and penalties as generate does", async () => {
    const options = { seed: 2, maxTokens: 30, presencePenalty: 0.5, frequencyPenalty: 0.25, repetitionPenalty: 1.2 };
    const { text } = await model.generate(PROMPT, { ...options, logitBias: { 198: -100, 13: 5 } });
    const { choices } = await complete({
      ...{ prompt: PROMPT, seed: 2, max_tokens: 30, presence_penalty: 0.5, frequency_penalty: 0.25 },
      ...{ repetition_penalty: 1.2, logit_bias: { "198": -100, "13": 5 } },
    });
    expect(choices[0]!.text).toBe(text);
  });

  it("echoes the prompt", async () => {
    const { choices } = await complete({ prompt: [PROMPT, "O"], echo: true, temperature: 0, max_tokens: 5 });
    const expected = await model.generateAll([PROMPT, "O"], { temperature: 0, maxTokens: 5 });
    expect(choices.map(({ text }) => text)).toEqual([PROMPT + expected[0]!.text, `O${expected[1]!.text}`]);
    const { choices: only } = await complete({ prompt: PROMPT, echo: true, max_tokens: 0 });
    expect(only[0]).toMatchObject({ text: PROMPT, finish_reason: "length" });
  });

  it("tells log-probabilities of what it adds; the prompt's are computed for an echo alone", async () => {
    const body = { prompt: PROMPT, seed: 3, max_tokens: 8, logprobs: 2 };
    const promptTokens = model.tokenizer.encode(PROMPT).length;
    const answers = [];
    for (const echo of [false, true]) {
      answers.push((await complete({ ...body, echo })).choices[0]!.logprobs!);
      expect(threads[0]!.received.at(-1)).toMatchObject({ work: { logprobs: true, promptLogprobs: echo } });
    }
    const [added, all] = answers as [(typeof answers)[0], (typeof answers)[0]];
    for (const list of ["tokens", "token_logprobs", "top_logprobs"] as const) {
      expect(added[list]).toEqual(all[list].slice(promptTokens));
      expect(added[list]).toHaveLength(8);
    }
    expect(added.text_offset.map((offset) => offset + PROMPT.length)).toEqual(all.text_offset.slice(promptTokens));
  });

  it("is as if a field were not there where it is null", async () => {
    const nulls = Object.fromEntries(
      [
        ...["model", "max_tokens", "temperature", "top_p", "n", "stop", "echo", "logprobs", "presence_penalty"],
        ...["frequency_penalty", "logit_bias", "stream", "stream_options", "user", "top_k", "min_p"],
        ...["repetition_penalty", "suffix", "best_of"],
      ].map((name) => [name, null]),
    );
    const { choices } = await complete({ prompt: PROMPT, seed: 1, ...nulls });
    expect(choices[0]!.text).toBe((await complete({ prompt: PROMPT, seed: 1 })).choices[0]!.text);
  });
});

describe("what cannot be carried out", () => {
  const long = "word ".repeat(3000);
  it.each<[object | string, string | null, string | null, RegExp]>([
    [{ suffix: "end" }, "suffix", "unsupported_parameter", /suffix is not implemented/],
    [{ best_of: 3 }, "best_of", "unsupported_parameter", /best_of is not implemented/],
    [{ messages: [] }, "messages", "unknown_parameter", /no parameter "messages"/],
    [
      { stream: true, stream_options: { obfuscate: true } },
      "stream_options.obfuscate",
      "unknown_parameter",
      /obfuscate/,
    ],
    [{ stream_options: { include_usage: true } }, "stream_options", "invalid_value", /stream is not true/],
    [{ temperature: "hot" }, "temperature", "invalid_value", /temperature must be number,? ?.*"hot"/],
    [{ temperature: -1 }, "temperature", "invalid_value", /temperature must be >= 0, got -1/],
    ['{"temperature": 1e999}', "temperature", "invalid_value", /Infinity/],
    [{ top_p: 0 }, "top_p", "invalid_value", /top_p must be > 0/],
    [{ max_tokens: 1.5 }, "max_tokens", "invalid_value", /integer/],
    [{ max_tokens: true }, "max_tokens", "invalid_value", /integer/],
    [{ logprobs: 21 }, "logprobs", "invalid_value", /<= 20/],
    [{ n: 0 }, "n", "invalid_value", />= 1/],
    [{ n: 129 }, "n", "too_many_choices", /129 texts.*128/],
    [{ seed: -1 }, "seed", "invalid_value", />= 0/],
    [{ presence_penalty: 3 }, "presence_penalty", "invalid_value", /<= 2/],
    [{ repetition_penalty: 0 }, "repetition_penalty", "invalid_value", />= 0.01/],
    [{ logit_bias: { a: 1 } }, "logit_bias", "invalid_value", /token ids from 0 to 1023, got a/],
    [{ logit_bias: { 1024: 1 } }, "logit_bias", "invalid_value", /token ids from 0 to 1023, got 1024/],
    [{ logit_bias: { 5: 101 } }, "logit_bias", "invalid_value", /-100 to 100 for token 5, got 101/],
    [{ stop: "" }, "stop", "invalid_value", /at least one character/],
    [{ stop: [1] }, "stop", "invalid_value", /got 1/],
    [{ stop: Array(65).fill("a") }, "stop", "invalid_value", /at most 64 texts/],
    [{ stop: "a".repeat(4097) }, "stop", "invalid_value", /4096 characters/],
    [{ prompt: 5 }, "prompt", "invalid_value", /list of token ids.*got 5/],
    [{ prompt: [] }, "prompt", "invalid_value", /empty list/],
    [{ prompt: ["a", 5] }, "prompt", "invalid_value", /got 5/],
    [{ prompt: [5, "a"] }, "prompt", "invalid_value", /prompt\[1\].*"a"/],
    [{ prompt: [1, 1024] }, "prompt", "invalid_value", /prompt\[1\].*0 to 1023, got 1024/],
    [{ prompt: [[1], [-1]] }, "prompt", "invalid_value", /prompt\[1\]\[0\].*got -1/],
    [{ prompt: Array(129).fill("a") }, "prompt", "too_many_prompts", /129 prompts.*128/],
    [{ prompt: long }, "prompt", "context_length_exceeded", /context, 256/],
    [{ prompt: Array(256).fill(1) }, "prompt", "context_length_exceeded", /context is 256 tokens.*max_length/],
    [{ prompt: Array(250).fill(1), max_tokens: 7 }, "max_tokens", "context_length_exceeded", /257 together/],
    [
      { prompt: Array(128).fill(Array(200).fill(1)), echo: true, logprobs: 20 },
      "logprobs",
      "too_many_logprobs",
      /524288/,
    ],
    ["[1]", null, null, /expected a JSON object/],
    ["{", null, null, /JSON/],
    ["", null, null, /empty body/],
    ['{"__proto__": 1}', null, null, /not valid JSON/],
  ])("%j is a 400 that names %s", async (body, param, code, message) => {
    const response = await post("/v1/completions", body);
    const { error } = (await response.json()) as ErrorAnswer;
    expect(error.message).toMatch(message);
    expect({ ...error, status: response.status }).toMatchObject({ status: 400, type: "invalid_request_error", param });
    if (code !== null) expect(error.code).toBe(code);
  });

  it("says which model there is", async () => {
    const response = await post("/v1/completions", { model: "gpt-5", prompt: PROMPT });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: {
        message: 'there is no model "gpt-5" here; there is "shakespeare"',
        ...{ type: "not_found_error", param: "model", code: "model_not_found" },
      },
    });
  });

  it("says what media type it takes, and how long a body may be", async () => {
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "text/plain; charset=utf-8"]) {
      const form = await post("/v1/completions", '{"prompt": "a"}', { headers: { "content-type": type } });
      expect(form.status).toBe(415);
      expect(((await form.json()) as ErrorAnswer).error.message).toContain("Content-Type: application/json");
    }
    const large = await post("/v1/completions", { prompt: "a".repeat(2 ** 20) });
    expect(large.status).toBe(413);
    expect(((await large.json()) as ErrorAnswer).error).toMatchObject({
      ...{ message: "the body is longer than 1048576 bytes", type: "invalid_request_error", code: "body_too_large" },
    });
    const zipped = await post("/v1/completions", "{}", { headers: { "content-encoding": "gzip" } });
    expect(zipped.status).toBe(415);
  });

  it("tells who wants to chat that there is nobody to chat with", async () => {
    const response = await post("/v1/chat/completions", { messages: [] });
    expect(response.status).toBe(404);
    expect(((await response.json()) as ErrorAnswer).error.message).toMatch(/GPT-2.*POST \/v1\/completions/);
  });
});
