import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createServer } from "../src/index.ts";
import { inProcess } from "./support/in-process.ts";
import { type ErrorAnswer, PROMPT, SHAKESPEARE, served, serving, type TestServer } from "./support/server.ts";
import { useSlowPasses } from "./support/slow-passes.ts";

useSlowPasses();

/** Takes some seconds, and ends only by its length. */
const LONG = { prompt: PROMPT, max_tokens: 240, logit_bias: { 1023: -100 }, temperature: 0 };

const portOf = ({ url }: TestServer): number => Number(new URL(url).port);

/** Waits until the server's thread has been sent so many requests. */
function begun(server: TestServer, count: number): Promise<void> {
  const requests = (): number => server.threads[0]!.received.filter(({ type }) => type === "begin").length;
  return expect.poll(requests, { interval: 1 }).toBe(count);
}

/** What a connection is answered that sends this. */
async function sent(server: TestServer, data: string): Promise<string> {
  const socket = connect(portOf(server), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(data);
  return textOf(socket);
}

describe("a server with much to do", () => {
  it("lets requests wait, refuses what would wait too long, and says when to come again", async () => {
    const server = await serving({ maxConcurrent: 2, maxQueue: 3 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => server.post("/v1/completions", { ...LONG, max_tokens: 40 })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(statuses.filter((status) => status === 429)).toHaveLength(7);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(((await refused.json()) as ErrorAnswer).error).toMatchObject({
      type: "rate_limit_error",
      code: "queue_full",
    });
    const model = await served();
    const { text } = await model.generate(PROMPT, { maxTokens: 40, temperature: 0, logitBias: { 1023: -100 } });
    for (const answer of answers.filter(({ status }) => status === 200)) {
      expect(((await answer.json()) as { choices: { text: string }[] }).choices[0]!.text).toBe(text);
    }
  });

  it("refuses a text that never fits into the caches' memory, and lets one wait that does not fit now", async () => {
    const bytes = 4 * 2 * 128 * 4; // of a token: layers, keys and values, channels, float32
    const server = await serving({ maxCacheBytes: 100 * bytes });
    const large = await server.post("/v1/completions", { ...LONG, max_tokens: 94 });
    expect(large.status).toBe(400);
    const { error } = (await large.json()) as ErrorAnswer;
    expect(error).toMatchObject({ param: "max_tokens", code: "cache_too_small" });
    expect(error.message).toContain(`101 tokens takes ${101 * bytes} bytes`);
    const order: number[] = [];
    const answers: Promise<unknown>[] = [];
    for (const maxTokens of [60, 92, 20]) {
      answers.push(server.complete({ ...LONG, max_tokens: maxTokens }).then(() => order.push(maxTokens)));
      await begun(server, answers.length);
    }
    await Promise.all(answers);
    expect(order).toEqual([60, 92, 20]); // the small one does not overtake the one that waits
  });

  it("gives room in turn: one prompt does not wait for the many of another request", async () => {
    const server = await serving({ maxConcurrent: 4 });
    const order: string[] = [];
    const many = server
      .complete({ ...LONG, prompt: Array(30).fill(PROMPT), max_tokens: 30 })
      .then(() => order.push("many"));
    await begun(server, 1);
    await server.complete({ ...LONG, max_tokens: 30 }).then(() => order.push("one"));
    await many;
    expect(order).toEqual(["one", "many"]);
  });

  it("goes on with running texts while a long prompt is read", async () => {
    const server = await serving({ tokensPerPass: 16 });
    const response = await server.post("/v1/completions", { ...LONG, stream: true });
    const reader = response.body!.getReader();
    await reader.read();
    let pieces = 0;
    let reading = true;
    const watched = (async () => {
      while (reading) {
        const { value, done } = await reader.read();
        if (done) return;
        pieces += new TextDecoder().decode(value).split("data: ").length - 1; // one read may bring several
      }
    })();
    await server.complete({ prompt: Array.from({ length: 240 }, (_, i) => i), max_tokens: 1 });
    reading = false;
    expect(pieces).toBeGreaterThan(5); // of the 15 passes that it takes: not all tokens end a piece, and the last may be on their way
    await watched;
    await reader.cancel();
  });

  it("ends what takes longer than it may", async () => {
    const server = await serving({ timeout: 100 });
    const response = await server.post("/v1/completions", { ...LONG, n: 64 });
    expect(response.status).toBe(503);
    expect(((await response.json()) as ErrorAnswer).error).toMatchObject({ code: "timeout", type: "server_error" });
    expect(response.headers.get("retry-after")).not.toBeNull();
    await expect.poll(() => server.threads[0]!.received.at(-1)!.type).toBe("cancel");
  });

  it("stops a generation that came whole, when its client goes away", async () => {
    const server = await serving();
    const asking = httpRequest(`${server.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    asking.on("error", () => {});
    asking.end(JSON.stringify({ ...LONG, n: 64 }));
    await expect.poll(() => server.threads[0]!.received.at(-1)!.type).toBe("begin");
    asking.destroy();
    await expect.poll(() => server.threads[0]!.received.at(-1)!.type).toBe("cancel");
  });
});

describe("connections that are no good", () => {
  it("are closed when a request does not arrive in time", async () => {
    const server = await serving({ receiveTimeout: 500 });
    const late = await sent(
      server,
      "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    );
    expect(late).toMatch(/^HTTP\/1\.1 408 .*"the request did not arrive in time"/s);
    const silent = await sent(server, "GET / HTTP");
    expect(silent).toMatch(/^HTTP\/1\.1 408 /);
    expect(await sent(server, "")).toMatch(/^(HTTP\/1\.1 408 .*)?$/s); // and a connection that sends nothing
  });

  it("are answered, and closed, when they send something else than HTTP", async () => {
    const server = await serving();
    expect(await sent(server, "\u0016\u0003\u0001 hello\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 .*"invalid_request_error"/s,
    );
    const headers = `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(20_000)}\r\n\r\n`;
    expect(await sent(server, headers)).toMatch(/^HTTP\/1\.1 431 /);
    const url = await sent(server, "GET /%zz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    expect(url).toMatch(/^HTTP\/1\.1 40[04] .*"error":\{/s);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it("are no more than may be", async () => {
    const server = await serving({ maxConnections: 3 });
    const sockets: Socket[] = [];
    let closed = 0;
    for (let i = 0; i < 6; i++) {
      const socket = connect(portOf(server), "127.0.0.1");
      socket.on("error", () => {});
      socket.on("close", () => closed++);
      sockets.push(socket);
    }
    await expect.poll(() => closed).toBe(3);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await fetch(`${server.url}/health`)).status).toBe(200);
  });
});

describe("a server that is closed", () => {
  it("lets answers be finished that have begun, refuses those that wait, and takes no more", async () => {
    const server = await serving({ maxConcurrent: 1 });
    const running = server.post("/v1/completions", { ...LONG, max_tokens: 100, stream: true });
    const reader = (await running).body!.getReader();
    await reader.read();
    const waiting = server.post("/v1/completions", LONG);
    await begun(server, 2);
    const closed = server.server.close();
    const refused = await waiting;
    expect(refused.status).toBe(503);
    expect(((await refused.json()) as ErrorAnswer).error.code).toBe("closing");
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += new TextDecoder().decode(part.value);
    expect(rest).toMatch(/"finish_reason":"length".*\[DONE\]\n\n$/s);
    await closed;
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });
});

describe("a server that is closed while connections are open", () => {
  it("closes those at once that are idle, or that a request has not come over yet", async () => {
    const server = await serving({ receiveTimeout: 3_600_000 }); // if it waited for them, this test would not end
    const head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    const open = ["", "GET /hea", `${head}content-length: 100\r\n\r\n{`].map((data) => sent(server, data));
    await fetch(`${server.url}/health`); // whose connection is kept
    await sleep(100);
    await server.server.close();
    expect(await Promise.all(open)).toEqual(["", "", ""]);
  });
});

describe("a thread that ends", () => {
  it("fails what it was doing, and is started again", async () => {
    const server = await serving();
    const running = server.post("/v1/completions", LONG);
    await expect.poll(() => server.threads[0]!.received.at(-1)!.type).toBe("begin");
    server.threads[0]!.crash();
    const failed = await running;
    expect(failed.status).toBe(503);
    const health = await fetch(`${server.url}/health`);
    expect([health.status, await health.json()]).toEqual([
      503,
      { status: "failing", reason: "the model's thread ended (exit code 1)" },
    ]);
    expect((await server.post("/v1/completions", LONG)).status).toBe(503);
    await expect.poll(async () => (await fetch(`${server.url}/health`)).status).toBe(200);
    expect(server.threads).toHaveLength(2);
    expect((await server.complete({ ...LONG, max_tokens: 4 })).usage.completion_tokens).toBe(4);
  });
});

describe("a server that is made", () => {
  it("says what is wrong with its options, or its model", async () => {
    await expect(createServer(SHAKESPEARE, { maxQueues: 3 } as never)).rejects.toThrow(
      /maxQueues: there is no such option/,
    );
    await expect(createServer(SHAKESPEARE, { maxConcurrent: 0 })).rejects.toThrow(/maxConcurrent: expected an integer/);
    await expect(createServer(SHAKESPEARE, { apiKey: "" })).rejects.toThrow(/apiKey/);
    await expect(createServer(SHAKESPEARE, { cors: ["example.com"] })).rejects.toThrow(/cors.*https:/);
    await expect(createServer(SHAKESPEARE, { allowedHosts: ["example.com:80"] })).rejects.toThrow(/allowedHosts.*port/);
    await expect(createServer(SHAKESPEARE, { maxCacheBytes: 8191, startThread: inProcess })).rejects.toThrow(
      /maxCacheBytes: expected 8192 or more/,
    );
    await expect(createServer(SHAKESPEARE, { load: { dtpye: "int8" } as never })).rejects.toThrow(/dtpye/);
    await expect(createServer("/nowhere/model")).rejects.toThrow(/nowhere\/model/);
  });

  it("says why it cannot listen, and can listen elsewhere then", async () => {
    const taken = await serving();
    const server = await createServer(SHAKESPEARE, { load: { threads: 1 }, startThread: inProcess });
    const refused = async (where: object): Promise<unknown> => server.listen(where).catch((error) => error);
    const port = portOf(taken);
    expect(await refused({ port })).toMatchObject({ name: "OptionError", option: "port" });
    expect(await refused({ port: 70_000 })).toMatchObject({ name: "OptionError", option: "port" });
    expect(await refused({ port: 0, host: "nowhere.invalid" })).toMatchObject({ name: "OptionError", option: "host" });
    const url = await server.listen({ port: 0 });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    await server.close();
  });

  it("writes lines of JSON, without prompts and keys", async () => {
    const log = new PassThrough();
    const server = await serving({ log, apiKey: "secret-key" });
    const headers = { authorization: "Bearer secret-key" };
    await server.post("/v1/completions", { prompt: "a private thought", max_tokens: 3 }, { headers });
    await server.post("/v1/completions", { prompt: 5 }, { headers });
    await server.server.close();
    log.end();
    const written = await textOf(log);
    const lines = written
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ msg }) => msg === "completion")).toMatchObject({
      ...{ prompt_tokens: expect.any(Number), completion_tokens: 3, firstTokenTime: expect.any(Number) },
    });
    expect(lines.filter(({ msg }) => msg === "answered").map(({ status }) => status)).toEqual([200, 400]);
    expect(written).not.toMatch(/private|secret/);
  });
});
