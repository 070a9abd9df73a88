import { request } from "node:http";
import { setTimeout as after } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { useLibrary } from "./support/alone.ts";
import { Connection, completionRequest, statuses } from "./support/raw.ts";
import { idle, tally, useServer } from "./support/server.ts";

const GOOD = { prompt: "To be", max_tokens: 6, temperature: 0 };

/** Its answer to a request with headers that `fetch` does not let one write. */
function ask(
  url: string,
  { method = "POST", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; headers: Readonly<Record<string, unknown>>; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (data: string) => {
        text += data;
      });
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(body);
  });
}

describe("a server on loopback", () => {
  const running = useServer();
  const library = useLibrary();
  const json = { "content-type": "application/json" };
  const completions = (): string => `${running.server.url}/v1/completions`;

  /** Whatever was done to it, it answers the next one as ever. */
  afterEach(async () => {
    const { status, body } = await ask(completions(), { headers: json, body: JSON.stringify(GOOD) });
    expect(status).toBe(200);
    expect(JSON.parse(body).choices[0].text).toBe((await library.alone(GOOD)).text);
  });

  it.each([
    ["JSON that is cut off", '{"prompt": "To', 400],
    ["no body", "", 400],
    ["a list", "[]", 400],
    ["null", "null", 400],
    ["a number", "1", 400],
    ["a key that reaches for prototypes", '{"prompt": "a", "__proto__": {"max_tokens": 1}}', 400],
    ["a constructor that reaches for prototypes", '{"prompt": "a", "constructor": {"prototype": {"n": 1}}}', 400],
    ["100,000 nested lists", `{"prompt": ${"[".repeat(1e5)}${"]".repeat(1e5)}}`, 400],
    ["a number beyond all numbers", '{"prompt": "a", "max_tokens": 1e999}', 400],
    ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString("latin1"), 400],
    ["a million prompts", JSON.stringify({ prompt: Array.from({ length: 1e5 }, () => "a"), max_tokens: 1 }), 400],
    ["a million choices", JSON.stringify({ ...GOOD, n: 1_000_000 }), 400],
  ])("refuses %s", async (_, body, wanted) => {
    const { status, headers, body: answer } = await ask(completions(), { headers: json, body });
    expect(status).toBe(wanted);
    expect(headers["content-type"]).toContain("application/json");
    expect(JSON.parse(answer).error.message).toEqual(expect.any(String));
  });

  it.each([
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data; boundary=x", 415],
    ["", 415],
  ])("refuses a body of the type %j, which a page may send to other origins", async (type, wanted) => {
    const headers = type === "" ? {} : { "content-type": type };
    const { status, body } = await ask(completions(), { headers, body: JSON.stringify(GOOD) });
    expect(status).toBe(wanted);
    expect(JSON.parse(body).error.message).toEqual(expect.any(String));
  });

  it.each([
    ["evil.example"],
    ["evil.example:80"],
    ["127.0.0.1.evil.example"],
    ["localhost.evil.example"],
    ["127.0.0.1@evil.example"],
    ["192.168.0.1"],
  ])("refuses the name %s, by which a page may reach loopback (DNS rebinding)", async (host) => {
    for (const path of ["/v1/completions", "/v1/models", "/tokenize", "/metrics", "/health"]) {
      const { status } = await ask(`${running.server.url}${path}`, { method: "GET", headers: { host } });
      expect([path, status]).toEqual([path, 403]);
    }
    const { status } = await ask(completions(), { headers: { ...json, host }, body: JSON.stringify(GOOD) });
    expect(status).toBe(403);
  });

  it.each(["https://evil.example", "http://127.0.0.1.evil.example", "null", "http://localhost.evil.example"])(
    "refuses the origin %s, and no origin may read its answers",
    async (origin) => {
      const { status, headers } = await ask(completions(), {
        headers: { ...json, origin },
        body: JSON.stringify(GOOD),
      });
      expect(status).toBe(403);
      expect(headers).not.toHaveProperty("access-control-allow-origin");
      const preflight = await ask(completions(), {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
      });
      expect(preflight.status).toBeGreaterThanOrEqual(400);
      expect(preflight.headers).not.toHaveProperty("access-control-allow-origin");
    },
  );

  it.each(["localhost", "127.0.0.1", "[::1]"])("takes the name %s, with its port", async (name) => {
    const host = `${name}:${running.server.port}`;
    const { status } = await ask(completions(), { headers: { ...json, host }, body: JSON.stringify(GOOD) });
    expect(status).toBe(200);
  });

  it.each([
    ["GET", "/v1/completions", [404, 405]],
    ["POST", "/v1/chat/completions", [404]],
    ["GET", "/../../etc/passwd", [404]],
    ["GET", "/%2e%2e/%2e%2e/etc/passwd", [404]],
    ["GET", "/v1/models/../../x", [404]],
    ["GET", "/%", [400, 404]],
    ["TRACE", "/v1/completions", [404, 405]],
    ["DELETE", "/v1/models", [404, 405]],
  ])("has nothing at %s %s", async (method, path, wanted) => {
    const connection = await Connection.open(running.server);
    connection.write(
      `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${running.server.port}\r\nConnection: close\r\n\r\n`,
    );
    const received = await connection.untilClosed();
    expect(wanted).toContain(statuses(received)[0]);
    expect(received).toContain('"error"');
  });

  it("refuses 10 MB without reading them all, whether announced or in chunks", async () => {
    const before = running.server.residentBytes();
    const tenMegabytes = JSON.stringify({ ...GOOD, prompt: "a".repeat(1e7) });
    const announced = await ask(completions(), {
      headers: { ...json, "content-length": String(tenMegabytes.length) },
      body: tenMegabytes,
    }).catch((error: NodeJS.ErrnoException) => error);
    if (announced instanceof Error)
      expect(["ECONNRESET", "EPIPE"]).toContain((announced as NodeJS.ErrnoException).code);
    else expect(announced.status).toBe(413);

    const connection = await Connection.open(running.server);
    connection.write(
      `POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1:${running.server.port}\r\n` +
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const piece = "a".repeat(65_536);
    for (let sent = 0; sent < 1e7 && !connection.closed; sent += piece.length) {
      connection.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      await after(0);
    }
    expect(statuses(await connection.untilClosed())).toEqual([413]);
    expect(running.server.residentBytes() - before).toBeLessThan(64e6);
  });

  it("answers requests that are sent at once on one connection, in their order", async () => {
    const connection = await Connection.open(running.server);
    const bodies = [GOOD, { ...GOOD, prompt: "ROMEO:" }, { ...GOOD, temprature: 1 }, { ...GOOD, prompt: [1, 2, 3] }];
    const sent = bodies.map((body, i) => completionRequest(running.server, body, i === 3 ? ["Connection: close"] : []));
    connection.write(sent.join(""));
    const received = await connection.untilClosed();
    expect(statuses(received)).toEqual([200, 200, 400, 200]);
    const texts = Array.from(received.matchAll(/"text":("(?:[^"\\]|\\.)*")/g), ([, text]) => JSON.parse(text!));
    const alone = await Promise.all([bodies[0]!, bodies[1]!, bodies[3]!].map((body) => library.alone(body)));
    expect(texts).toEqual(alone.map(({ text }) => text));
  });

  it.each([
    ["two lengths", ["Content-Length: 3", "Content-Length: 5"]],
    ["a length and chunks", ["Content-Length: 3", "Transfer-Encoding: chunked"]],
    ["a length that is no number", ["Content-Length: 1e3"]],
    ["a header without a name", [": x"]],
    ["64 KB of headers", [`X-Long: ${"a".repeat(65_536)}`]],
    ["1,000 headers and no host", Array.from({ length: 1000 }, (_, i) => `X-${i}: 1`)],
  ])("refuses %s, and closes the connection", async (_, headers) => {
    const connection = await Connection.open(running.server);
    connection.write(`POST /v1/completions HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\nabc`);
    const [status = 0] = statuses(await connection.untilClosed());
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it("says to go on to whoever asks before sending a body", async () => {
    const connection = await Connection.open(running.server);
    const text = completionRequest(running.server, GOOD, ["Expect: 100-continue", "Connection: close"]);
    const [head = "", body = ""] = text.split("\r\n\r\n");
    connection.write(`${head}\r\n\r\n`);
    await connection.until(/100 Continue/);
    connection.write(body);
    expect(statuses(await connection.untilClosed())).toEqual([100, 200]);
  });

  it("stops what a client waited for that has gone, streaming or not, read or waiting", async () => {
    const { answered: before } = await tally(running.server);
    const forgotten = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const connection = await Connection.open(running.server);
        const long = { prompt: "ROMEO:", max_tokens: 240, n: 8, logit_bias: library.neverEnds, stream: i % 2 === 0 };
        connection.write(completionRequest(running.server, long));
        return connection;
      }),
    );
    await forgotten[0]!.until(/data: /);
    for (const [i, connection] of forgotten.entries()) {
      if (i % 3 === 0) connection.socket.resetAndDestroy();
      else connection.close();
    }
    await idle(running.server);
    const { answered } = await tally(running.server);
    expect(answered).toEqual({ ...before, 499: (before["499"] ?? 0) + 40 });
  });

  it("goes on for others while one does not read what it streams", async () => {
    const slow = await Connection.open(running.server);
    slow.socket.pause();
    const long = { prompt: "ROMEO:", max_tokens: 60, stream: true, logprobs: 20, n: 2, logit_bias: library.neverEnds };
    for (let i = 0; i < 4; i++) slow.write(completionRequest(running.server, long));
    for (let i = 0; i < 3; i++) {
      const { status } = await ask(completions(), { headers: json, body: JSON.stringify(GOOD) });
      expect(status).toBe(200);
    }
    slow.close();
    await idle(running.server);
  });
});

describe("guesses of a key", () => {
  const key = "correct-horse-battery-staple";
  const running = useServer(["--api-key-env", "GPT2_TEST_KEY"], { GPT2_TEST_KEY: key });

  it.each([
    ["none", {}],
    ["an empty one", { authorization: "Bearer " }],
    ["its beginning", { authorization: `Bearer ${key.slice(0, -1)}` }],
    ["one more letter", { authorization: `Bearer ${key}s` }],
    ["another of its length", { authorization: `Bearer ${key.replace("c", "k")}` }],
    ["another scheme", { authorization: `Basic ${Buffer.from(`user:${key}`).toString("base64")}` }],
    ["no scheme", { authorization: key }],
    ["a megabyte", { authorization: `Bearer ${"a".repeat(15_000)}` }],
    ["another header", { "x-api-key": key }],
  ])("are all answered alike: %s", async (_, headers) => {
    for (const path of ["/v1/completions", "/v1/models", "/tokenize", "/detokenize", "/tokenizer_info"]) {
      const method = /info|models/.test(path) ? "GET" : "POST";
      const answer = await ask(`${running.server.url}${path}`, {
        ...{ method, headers: { "content-type": "application/json", ...headers } },
        ...(method === "POST" ? { body: '{"prompt": ' } : {}),
      });
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.body).not.toContain(key);
      expect(JSON.parse(answer.body).error).toMatchObject({ message: expect.any(String) });
    }
  });

  it("never show it, in answers or in logs", async () => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
    const { status } = await ask(`${running.server.url}/v1/models`, { method: "GET", headers });
    expect(status).toBe(200);
    expect(running.server.output).not.toContain(key);
  });
});
