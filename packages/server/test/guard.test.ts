import { request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { type ErrorAnswer, PROMPT, serving, type TestServer } from "./support/server.ts";

/** Asks with headers that fetch does not let one set. */
function ask(
  { url }: TestServer,
  path: string,
  headers: Record<string, string>,
  method = "GET",
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(`${url.replace("0.0.0.0", "127.0.0.1")}${path}`, { method, headers }, async (response) => {
      resolve({ status: response.statusCode!, headers: response.headers, body: await text(response) });
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("who asks", () => {
  it("must call the server by a name of its own", async () => {
    const server = await serving({ allowedHosts: ["gpt2.example"] });
    for (const host of ["localhost", "127.0.0.1:80", "[::1]:8080", "LOCALHOST.", "gpt2.example:443"]) {
      expect((await ask(server, "/health", { host })).status, host).toBe(200);
    }
    for (const host of ["evil.example", "127.0.0.1.evil.example", "192.168.0.7", "localhost:80:80", "a b"]) {
      const { status, body } = await ask(server, "/v1/models", { host });
      expect(status, host).toBe(403);
      expect((JSON.parse(body) as ErrorAnswer).error).toMatchObject({
        type: "permission_error",
        code: "host_not_allowed",
      });
    }
  });

  it("may use any address where the server listens to others, but no strange name", async () => {
    const server = await serving({}, { host: "0.0.0.0" });
    for (const host of ["192.168.0.7:8080", "[fe80::1]", "localhost"]) {
      expect((await ask(server, "/health", { host })).status, host).toBe(200);
    }
    expect((await ask(server, "/health", { host: "evil.example" })).status).toBe(403);
  });

  it("must be no page, unless its origin is allowed", async () => {
    const none = await serving();
    for (const origin of ["https://evil.example", "null", "http://localhost:3000"]) {
      const { status, headers } = await ask(none, "/v1/models", { origin });
      expect(status).toBe(403);
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
    const server = await serving({ cors: ["https://page.example"] });
    const origin = "https://page.example";
    const asked = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    };
    const preflight = await ask(server, "/v1/completions", asked, "OPTIONS");
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      ...{ "access-control-allow-origin": origin, "access-control-allow-headers": "authorization", vary: "Origin" },
      "access-control-allow-methods": "GET, POST",
    });
    expect((await ask(server, "/v1/models", { origin })).headers["access-control-allow-origin"]).toBe(origin);
    expect((await ask(server, "/v1/models", { origin: "https://evil.example" })).status).toBe(403);
    const streamed = await server.post(
      "/v1/completions",
      { prompt: PROMPT, max_tokens: 2, stream: true },
      { headers: { origin } },
    );
    expect(streamed.headers.get("access-control-allow-origin")).toBe(origin);
    const all = await serving({ cors: ["*"] });
    expect((await ask(all, "/v1/models", { origin })).headers["access-control-allow-origin"]).toBe("*");
  });

  it("must give the key, where there is one; all but the server's health needs it", async () => {
    const server = await serving({ apiKey: "sk-123" });
    const wrong: Record<string, string>[] = [
      {},
      { authorization: "Bearer sk-124" },
      { authorization: "Bearer sk-1234" },
      { authorization: "Basic sk-123" },
      { authorization: "sk-123" },
    ];
    for (const headers of wrong) {
      for (const path of ["/v1/models", "/metrics", "/tokenizer_info", "/nothing"]) {
        const { status, headers: answered, body } = await ask(server, path, headers);
        expect(status).toBe(401);
        expect(answered["www-authenticate"]).toBe("Bearer");
        expect((JSON.parse(body) as ErrorAnswer).error.code).toBe("invalid_api_key");
      }
    }
    expect((await ask(server, "/v1/models", { authorization: "Bearer sk-123" })).status).toBe(200);
    expect((await ask(server, "/health", {})).status).toBe(200);
  });
});

describe("what there is", () => {
  it("is told", async () => {
    const server = await serving({ name: "org/model" });
    const list = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: object[] };
    expect(list).toMatchObject({ object: "list", data: [{ id: "org/model", object: "model", max_model_len: 256 }] });
    for (const id of ["org/model", "org%2Fmodel"]) {
      expect(await (await fetch(`${server.url}/v1/models/${id}`)).json()).toEqual(list.data[0]);
    }
    expect((await fetch(`${server.url}/v1/models/other`)).status).toBe(404);
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: "ok" });
  });

  it("is measured", async () => {
    const server = await serving();
    const { usage } = await server.complete({ prompt: PROMPT, max_tokens: 5, temperature: 0 });
    await server.post("/v1/completions", { prompt: 5 });
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const metrics = await response.text();
    for (const line of [
      'gpt2_requests_total{route="/v1/completions",status="200"} 1',
      'gpt2_requests_total{route="/v1/completions",status="400"} 1',
      `gpt2_prompt_tokens_total ${usage.prompt_tokens}`,
      `gpt2_generated_tokens_total ${usage.completion_tokens}`,
      "gpt2_time_to_first_token_seconds_count 1",
      "gpt2_completion_seconds_count 1",
      "gpt2_requests_running 0",
      "gpt2_requests_waiting 0",
      "gpt2_up 1",
    ]) {
      expect(metrics).toContain(`${line}\n`);
    }
    expect(metrics).toMatch(/^gpt2_tokens_per_second \d/m);
    expect(metrics).toMatch(/^process_resident_memory_bytes [1-9]/m);
  });
});
