import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type CompletionAnswer, eventsOf, PROMPT, served, serving } from "./support/server.ts";

const { post, complete, url, threads } = await serving();
const model = await served();

/** Chunks of a stream, the last two events apart. */
async function streamed(body: object): Promise<{ chunks: CompletionAnswer[]; done: unknown; response: Response }> {
  const response = await post("/v1/completions", { ...body, stream: true });
  const events = eventsOf(await response.text());
  return { chunks: events.slice(0, -1) as CompletionAnswer[], done: events.at(-1), response };
}

describe("a stream", () => {
  it("is the text in pieces, closed by [DONE]", async () => {
    const body = { prompt: PROMPT, seed: 4, max_tokens: 30 };
    const { chunks, done, response } = await streamed(body);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(done).toBe("[DONE]");
    expect(chunks.length).toBeGreaterThan(20);
    const { text } = await model.generate(PROMPT, { seed: 4, maxTokens: 30 });
    expect(chunks.map(({ choices }) => choices[0]!.text).join("")).toBe(text);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    const reasons = chunks.map(({ choices }) => choices[0]!.finish_reason);
    expect(reasons.slice(0, -1).every((reason) => reason === null)).toBe(true);
    expect(reasons.at(-1)).toBe("length");
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
  });

  it("tells the usage at last, if that is asked for", async () => {
    const { chunks } = await streamed({
      prompt: PROMPT,
      seed: 4,
      max_tokens: 5,
      stream_options: { include_usage: true },
    });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
    });
  });

  it("has the same choices as an answer that comes whole: texts, log-probabilities, offsets, reasons", async () => {
    const whole = await model.generate(PROMPT, { seed: 9, maxTokens: 40 });
    const body = {
      ...{ prompt: [PROMPT, "\u{1f600} naïve"], n: 2, seed: 9, max_tokens: 40, echo: true, logprobs: 2 },
      stop: [whole.text.slice(20, 26), "ing"],
    };
    const { chunks } = await streamed(body);
    const { choices } = await complete(body);
    for (const { index, text, logprobs, finish_reason } of choices) {
      const parts = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index);
      expect(parts.map((part) => part.text).join("")).toBe(text);
      for (const list of ["tokens", "token_logprobs", "top_logprobs", "text_offset"] as const) {
        expect(parts.flatMap((part) => [...part.logprobs![list]])).toEqual(logprobs![list]);
      }
      expect(parts.at(-1)!.finish_reason).toBe(finish_reason);
      // What is told of tokens covers the text: of a stop text there is at most what the last token has of it.
      expect(text.startsWith(logprobs!.tokens.slice(0, -1).join("")) || text.includes("\u{1f600}")).toBe(true);
    }
  });

  it("ends at once when its client goes away", async () => {
    const controller = new AbortController();
    const response = await post(
      "/v1/completions",
      { prompt: [PROMPT, "O"], n: 8, max_tokens: 240, logit_bias: { 1023: -100 }, stream: true },
      { signal: controller.signal },
    );
    await response.body!.getReader().read();
    controller.abort();
    await expect.poll(() => threads[0]!.received.at(-1)!.type).toBe("cancel");
    const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
    await expect.poll(metrics).toMatch(/^gpt2_requests_running 0$/m);
    expect(await metrics()).toMatch(/^gpt2_texts_running 0$/m);
    expect(await metrics()).toContain('gpt2_requests_total{route="/v1/completions",status="499"} 1\n');
    const [, generated] = /^gpt2_generated_tokens_total (\d+)$/m.exec(await metrics())!;
    await sleep(50);
    expect(await metrics()).toContain(`gpt2_generated_tokens_total ${generated}\n`);
  });

  it("that fails in the middle says so in its last event", async () => {
    const failing = await serving();
    const response = await failing.post("/v1/completions", {
      ...{ prompt: PROMPT, max_tokens: 240, stream: true, logit_bias: { 1023: -100 } },
    });
    const reader = response.body!.getReader();
    await reader.read();
    failing.threads[0]!.crash();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += new TextDecoder().decode(part.value);
    expect(eventsOf(rest).at(-1)).toEqual({
      error: {
        message: "the model's thread ended (exit code 1)",
        ...{ type: "server_error", param: null, code: "model_unavailable" },
      },
    });
  });
});
