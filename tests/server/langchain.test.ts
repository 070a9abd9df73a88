import { OpenAI } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { useLibrary } from "./support/alone.ts";
import { idle, recorder, tally, useServer } from "./support/server.ts";

const PROMPT = "Now is the winter";

describe("LangChain's OpenAI model", () => {
  const running = useServer();
  const library = useLibrary();
  const open = (options: ConstructorParameters<typeof OpenAI>[0] = {}) => {
    const { sent, fetch } = recorder();
    const configuration = { baseURL: `${running.server.url}/v1`, fetch };
    return {
      sent,
      llm: new OpenAI({ model: "shakespeare", apiKey: "none", maxRetries: 0, configuration, ...options }),
    };
  };

  it("is invoked, and brings the library's text", async () => {
    const { sent, llm } = open({ maxTokens: 24, temperature: 0 });
    const text = await llm.invoke(PROMPT);
    expect(text).toBe((await library.alone(sent[0]!)).text);
    expect(text.length).toBeGreaterThan(0);
  });

  it("stops at a stop text", async () => {
    const { sent, llm } = open({ maxTokens: 80, temperature: 0 });
    const text = await llm.invoke(PROMPT, { stop: ["e"] });
    const alone = await library.alone(sent[0]!);
    expect(alone.finishReason).toBe("stop");
    expect(text).toBe(alone.text);
  });

  it("streams", async () => {
    const { sent, llm } = open({ maxTokens: 32, temperature: 0 });
    const pieces: string[] = [];
    for await (const piece of await llm.stream(PROMPT)) pieces.push(piece);
    expect(pieces.join("")).toBe((await library.alone(sent[0]!)).text);
    expect(pieces.length).toBeGreaterThan(5);
  });

  it("sends several prompts in one request, and counts tokens", async () => {
    const prompts = ["To be", "ROMEO:", "Now is the winter"];
    const { sent, llm } = open({ maxTokens: 10, temperature: 0 });
    const { generations, llmOutput } = await llm.generate(prompts);
    expect(sent).toHaveLength(1);
    const alone = await Promise.all(prompts.map((prompt) => library.alone({ ...sent[0]!, prompt })));
    expect(generations.map(([first]) => first!.text)).toEqual(alone.map(({ text }) => text));
    expect(llmOutput!["tokenUsage"]).toMatchObject({
      completionTokens: alone.reduce((sum, { ids }) => sum + ids.length, 0),
      promptTokens: alone.reduce((sum, { promptIds }) => sum + promptIds.length, 0),
    });
  });

  it("aborts, and the server stops", async () => {
    const { llm } = open({ maxTokens: 200, temperature: 1, modelKwargs: { n: 64, best_of: 64 } }); // much to do
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of await llm.stream(PROMPT, { signal: controller.signal })) controller.abort();
    })();
    await expect(reading).rejects.toThrow();
    await idle(running.server);
    expect((await tally(running.server)).answered["499"]).toBe(1);
  });

  it("raises what the server refuses, with its words", async () => {
    const { llm } = open({ maxTokens: 4 });
    await expect(llm.invoke("a ".repeat(5000))).rejects.toThrow(/context/);
  });
});
