import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, streamText } from "ai";
import { describe, expect, it } from "vitest";
import { useLibrary } from "./support/alone.ts";
import { idle, recorder, tally, useServer } from "./support/server.ts";

const PROMPT = "To be, or not to be";

describe("the AI SDK with its OpenAI-compatible provider", () => {
  const running = useServer();
  const library = useLibrary();
  const open = () => {
    const { sent, fetch } = recorder();
    const baseURL = `${running.server.url}/v1`;
    const provider = createOpenAICompatible({ name: "gpt2", baseURL, fetch, includeUsage: true });
    return { sent, model: provider.completionModel("shakespeare") };
  };

  it.each([
    { maxOutputTokens: 24, temperature: 0 },
    { maxOutputTokens: 24, temperature: 0.9, seed: 4, topP: 0.95 },
    { maxOutputTokens: 60, temperature: 0, stopSequences: ["e"] },
    { maxOutputTokens: 24, temperature: 1, seed: 4, presencePenalty: 1, frequencyPenalty: 1 },
  ])("generates the library's text: %j", async (options) => {
    const { sent, model } = open();
    const { text, finishReason, usage } = await generateText({ model, prompt: PROMPT, ...options, maxRetries: 0 });
    const alone = await library.alone(sent[0]!);
    expect(sent[0]!.prompt).toContain(PROMPT);
    expect(text).toBe(alone.text);
    expect(finishReason).toBe(alone.finishReason);
    expect(usage).toMatchObject({ inputTokens: alone.promptIds.length, outputTokens: alone.ids.length });
  });

  it("streams it", async () => {
    const { sent, model } = open();
    const result = streamText({ model, prompt: PROMPT, maxOutputTokens: 40, temperature: 1, seed: 9, maxRetries: 0 });
    const pieces: string[] = [];
    for await (const piece of result.textStream) pieces.push(piece);
    const alone = await library.alone(sent[0]!);
    expect(pieces.join("")).toBe(alone.text);
    expect(pieces.length).toBeGreaterThan(5);
    expect(await result.finishReason).toBe(alone.finishReason);
    expect(await result.usage).toMatchObject({ outputTokens: alone.ids.length });
  });

  it("aborts a stream, and the server stops", async () => {
    const { model } = open();
    const controller = new AbortController();
    const result = streamText({
      ...{ model, prompt: PROMPT, maxOutputTokens: 200, temperature: 1, seed: 9, maxRetries: 0 },
      abortSignal: controller.signal,
      providerOptions: { gpt2: { n: 64 } }, // so that the server has much to do
    });
    for await (const _ of result.textStream) controller.abort();
    await idle(running.server);
    expect((await tally(running.server)).answered["499"]).toBe(1);
  });

  it("raises what the server refuses, with its words", async () => {
    const { model } = open();
    const error = await generateText({ model, prompt: "a ".repeat(5000), maxRetries: 0 }).catch((error) => error);
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error.statusCode).toBe(400);
    expect(error.message).toContain("context");
  });

  it("sends the prompt alone, by a fetch that takes off the dialogue which it makes of it", async () => {
    const { sent, fetch } = recorder();
    const plain: typeof fetch = (url, init) => {
      const body = JSON.parse(String(init?.body));
      const prompt = body.prompt.replace(/^user:\n(.*)\n\nassistant:\n$/s, "$1");
      return fetch(url, { ...init, body: JSON.stringify({ ...body, prompt }) });
    };
    const provider = createOpenAICompatible({ name: "gpt2", baseURL: `${running.server.url}/v1`, fetch: plain });
    const model = provider.completionModel("shakespeare");
    const { text } = await generateText({ model, prompt: PROMPT, maxOutputTokens: 12, seed: 1, maxRetries: 0 });
    expect(sent[0]).toMatchObject({ prompt: PROMPT });
    expect(text).toBe((await library.alone({ prompt: PROMPT, max_tokens: 12, seed: 1 })).text);
  });

  it("hands on options of ours", async () => {
    const { sent, model } = open();
    const providerOptions = { gpt2: { top_k: 1 } };
    const { text } = await generateText({ model, prompt: PROMPT, maxOutputTokens: 12, maxRetries: 0, providerOptions });
    expect(sent[0]).toMatchObject({ top_k: 1 });
    expect(text).toBe((await library.alone(sent[0]!)).text);
  });
});
