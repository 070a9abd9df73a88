import OpenAI from "openai";
import { beforeAll, describe, expect, it } from "vitest";
import { useLibrary } from "./support/alone.ts";
import { idle, recorder, tally, useServer } from "./support/server.ts";

const KEY = "sk-of-these-tests";
const PROMPT = "ROMEO:\nWhat light";

describe("the openai client", () => {
  const running = useServer(["--api-key-env", "GPT2_TEST_KEY"], { GPT2_TEST_KEY: KEY });
  const library = useLibrary();
  let client: OpenAI;
  let model: string;
  beforeAll(async () => {
    client = new OpenAI({ baseURL: `${running.server.url}/v1`, apiKey: KEY, maxRetries: 0 });
    const [first] = (await client.models.list()).data;
    model = first!.id;
  });

  it("lists the one model, and retrieves it", async () => {
    const { data } = await client.models.list();
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ object: "model" });
    expect(await client.models.retrieve(model)).toEqual(data[0]);
  });

  it.each([
    { max_tokens: 24, temperature: 0, best_of: 1 },
    { max_tokens: 24, temperature: 0.8, seed: 7 },
    { max_tokens: 24, seed: 3, top_p: 0.9, presence_penalty: 0.5, frequency_penalty: 0.5 },
    { seed: 5 },
    { seed: 5, logit_bias: { "13": -100, "198": -100 } },
  ])("gets the library's text, and how many tokens it took: %j", async (options) => {
    const { choices, usage, object } = await client.completions.create({ model, prompt: PROMPT, ...options });
    const alone = await library.alone({ prompt: PROMPT, ...options });
    expect(object).toBe("text_completion");
    expect(choices).toEqual([{ index: 0, text: alone.text, finish_reason: alone.finishReason, logprobs: null }]);
    expect(usage).toMatchObject({
      prompt_tokens: alone.promptIds.length,
      completion_tokens: alone.ids.length,
      total_tokens: alone.promptIds.length + alone.ids.length,
    });
  });

  it("streams the same text, and at last its usage", async () => {
    const options = { max_tokens: 40, temperature: 1, seed: 11 };
    const stream = await client.completions.create({
      ...{ model, prompt: PROMPT, ...options, stream: true },
      stream_options: { include_usage: true },
    });
    const texts: string[] = [];
    const reasons: (string | null)[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      for (const { text, finish_reason } of chunk.choices) {
        texts.push(text);
        reasons.push(finish_reason);
      }
      usage = chunk.usage ?? usage;
    }
    const alone = await library.alone({ prompt: PROMPT, ...options });
    expect(texts.join("")).toBe(alone.text);
    expect(texts.length).toBeGreaterThan(10);
    expect(reasons.filter((reason) => reason !== null)).toEqual(["length"]);
    expect(usage).toMatchObject({ completion_tokens: 40, prompt_tokens: alone.promptIds.length });
  });

  it("stops before a stop text, streamed or not", async () => {
    const { text } = await library.alone({ prompt: PROMPT, max_tokens: 30, temperature: 0 });
    const options = { max_tokens: 30, temperature: 0, stop: ["which never comes", text.slice(20, 26)] };
    const alone = await library.alone({ prompt: PROMPT, ...options });
    expect(alone.finishReason).toBe("stop");
    const { choices } = await client.completions.create({ model, prompt: PROMPT, ...options });
    expect(choices[0]).toMatchObject({ text: alone.text, finish_reason: "stop" });
    let streamed = "";
    for await (const chunk of await client.completions.create({ model, prompt: PROMPT, ...options, stream: true })) {
      streamed += chunk.choices[0]?.text ?? "";
    }
    expect(streamed).toBe(alone.text);
  });

  it("gets the model's own log-probabilities, to the last digit", async () => {
    const options = { max_tokens: 20, temperature: 0.7, seed: 2 };
    const { choices } = await client.completions.create({ model, prompt: PROMPT, ...options, logprobs: 3 });
    const { text, logprobs } = choices[0]!;
    const alone = await library.alone({ prompt: PROMPT, ...options }, { top: 3 });
    expect(text).toBe(alone.text);
    expect(logprobs!.token_logprobs).toEqual(alone.logprobs);
    expect(logprobs!.tokens!.join("")).toBe(text);
    expect(logprobs!.top_logprobs!.map((top) => Math.max(...Object.values(top)))).toEqual(
      alone.alternatives!.map(([best]) => best!.logprob),
    );
  });

  it("echoes the prompt, whose first token has no log-probability", async () => {
    const { choices } = await client.completions.create({
      ...{ model, prompt: PROMPT, max_tokens: 1, temperature: 0 },
      ...{ echo: true, logprobs: 1 },
    });
    const alone = await library.alone({ prompt: PROMPT, max_tokens: 1, temperature: 0 }, { logprobs: true });
    const { text, logprobs } = choices[0]!;
    expect(text).toBe(PROMPT + alone.text);
    expect(logprobs!.token_logprobs).toEqual([null, ...alone.promptLogprobs!, ...alone.logprobs!]);
    expect(logprobs!.text_offset![0]).toBe(0);
  });

  it.each([
    ["texts", ["To be", "Now is the winter", "ROMEO:"]],
    ["lists of ids", [[10, 20, 30], [5], [7, 8]]],
  ])("gets an answer for each of several prompts: %s", async (_, prompts) => {
    const options = { max_tokens: 12, temperature: 0 };
    const { choices, usage } = await client.completions.create({
      ...{ model, ...options },
      prompt: prompts as string[] | number[][],
    });
    const alone = await Promise.all(prompts.map((prompt) => library.alone({ prompt, ...options })));
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(choices.map(({ text }) => text)).toEqual(alone.map(({ text }) => text));
    expect(usage!.completion_tokens).toBe(alone.reduce((sum, { ids }) => sum + ids.length, 0));
  });

  it("ends what it aborts: the server stops to generate at once", async () => {
    const controller = new AbortController();
    const stream = await client.completions.create(
      { model, prompt: PROMPT, max_tokens: 200, n: 64, stream: true, logit_bias: library.neverEnds },
      { signal: controller.signal },
    );
    for await (const _ of stream) controller.abort();
    await idle(running.server, KEY);
    expect((await tally(running.server, KEY)).answered["499"]).toBe(1);
    const { choices } = await client.completions.create({ model, prompt: PROMPT, max_tokens: 8, temperature: 0 });
    expect(choices[0]!.text).toBe((await library.alone({ prompt: PROMPT, max_tokens: 8, temperature: 0 })).text);
  });

  it("sends nothing that the server does not know", async () => {
    const { sent, fetch } = recorder();
    const recording = new OpenAI({ baseURL: `${running.server.url}/v1`, apiKey: KEY, fetch });
    await recording.completions.create({ model, prompt: PROMPT, max_tokens: 1, user: "a person" });
    expect(sent).toEqual([{ model, prompt: PROMPT, max_tokens: 1, user: "a person" }]);
  });

  it.each([
    [{ suffix: "the end" }, "suffix"],
    [{ best_of: 3 }, "best_of"],
    [{ logprobs: 21 }, "logprobs"],
    [{ temperature: -1 }, "temperature"],
    [{ max_tokens: 0.5 }, "max_tokens"],
    [{ prompt: "a ".repeat(5000) }, "context"],
    [{ model: "gpt-5" }, "gpt-5"],
  ])("is told what is wrong: %j", async (change, named) => {
    const sent = client.completions.create({ model, prompt: PROMPT, max_tokens: 4, ...change });
    const error = await sent.catch((error) => error);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error.status).toBe("model" in change ? 404 : 400);
    expect(error.message).toContain(named);
  });

  it("learns that there is no chat", async () => {
    const sent = client.chat.completions.create({ model, messages: [{ role: "user", content: "Hello" }] });
    await expect(sent).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it.each(["sk-of-these-test", "sk-of-these-tests2", "sk-of-those-tests", "x"])(
    "needs the key, not %s",
    async (apiKey) => {
      const stranger = new OpenAI({ baseURL: `${running.server.url}/v1`, apiKey, maxRetries: 0 });
      await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
      await expect(stranger.completions.create({ model, prompt: PROMPT })).rejects.toBeInstanceOf(
        OpenAI.AuthenticationError,
      );
    },
  );
});
