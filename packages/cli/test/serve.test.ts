import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { gpt2 } from "./support/cli.ts";

const BODY = { prompt: "To be, or not to be", max_tokens: 200, logit_bias: { 1023: -100 } };

/** The URL that a server writes into its log. */
function addressOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  let log = "";
  return new Promise((resolve, reject) => {
    child.stderr.on("data", (data: Buffer) => {
      log += data;
      const [, url] = /listening at (http:[^"]+)"/.exec(log) ?? [];
      if (url) resolve(url);
    });
    child.on("close", () => reject(new Error(log)));
  });
}

function complete(url: string, body: object, key?: string): Promise<Response> {
  return fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
}

describe("gpt2 serve", () => {
  it("answers, logs lines of JSON, and at SIGTERM lets answers be finished", async () => {
    let streamed = "";
    let failure: unknown;
    const args = ["serve", "--port", "0", "--threads", "1", "--name", "will", "--api-key-env", "TEST_KEY"];
    const run = await gpt2(args, {
      env: { TEST_KEY: "sesame" },
      during: async (child) => {
        try {
          const url = await addressOf(child);
          expect((await complete(url, BODY)).status).toBe(401);
          const models = await fetch(`${url}/v1/models`, { headers: { authorization: "Bearer sesame" } });
          expect(await models.json()).toMatchObject({ data: [{ id: "will" }] });
          const response = await complete(url, { ...BODY, model: "will", stream: true }, "sesame");
          const reader = response.body!.getReader();
          const decoder = new TextDecoder();
          for (let part = await reader.read(); !part.done; part = await reader.read()) {
            if (streamed === "") child.kill("SIGTERM");
            streamed += decoder.decode(part.value);
          }
        } catch (error) {
          child.kill("SIGKILL");
          failure = error;
        }
      },
    });
    if (failure) throw failure;
    expect(streamed).toMatch(/"finish_reason":"length".*data: \[DONE\]\n\n$/s);
    expect(run.status).toBe(0);
    expect(run.stdout).toBe("");
    const lines = run.stderr.trim().split("\n");
    for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow();
    expect(run.stderr).not.toMatch(/sesame|To be/);
  });

  it("leaves at once at a second signal", async () => {
    const run = await gpt2(["serve", "--port", "0", "--threads", "1"], {
      during: async (child) => {
        const url = await addressOf(child);
        const reader = (await complete(url, { ...BODY, n: 100, stream: true })).body!.getReader();
        await reader.read();
        child.kill("SIGTERM");
        while (!(await reader.read().catch(() => ({ done: true }))).done) child.kill("SIGTERM");
      },
    });
    expect(run.status).toBe(null);
  });

  it("says what it cannot do before it loads a model", async () => {
    const errors = await Promise.all(
      [
        ["--api-key-env", "NO_SUCH_KEY"],
        ["--port", "70000"],
        ["--cors", "example.com"],
        ["--max-concurrent", "0"],
        ["--api-key-env", "SPACED_KEY"],
        ["--allow-host", "gpt2.example:80"],
      ].map((args) => gpt2(["serve", ...args], { env: { SPACED_KEY: "two words" } })),
    );
    expect(errors.map(({ status }) => status)).toEqual([1, 1, 1, 1, 1, 1]);
    const messages = errors.map(({ stderr }) => stderr);
    expect(messages[0]).toBe("gpt2: --api-key-env: the environment variable NO_SUCH_KEY is not set\n");
    expect(messages[1]).toMatch(/--port.*65535/);
    expect(messages[2]).toMatch(/--cors.*expected origins/);
    expect(messages[3]).toMatch(/--max-concurrent: expected an integer from 1, got 0/);
    expect(messages[4]).toBe("gpt2: --api-key-env: expected ASCII characters without spaces, at least one\n");
    expect(messages[5]).toMatch(/--allow-host: expected names .*without a port, got "gpt2\.example:80"/);
  });

  it("says in its own words what its thread, or the system, refuses", async () => {
    const other = createServer();
    await once(other.listen(0, "127.0.0.1"), "listening");
    const { port } = other.address() as AddressInfo;
    const errors = await Promise.all(
      [
        ["--port", String(port)],
        ["--port", "0", "--host", "nowhere.invalid"],
        ["--threads", "0"],
        ["--max-cache-bytes", "100"],
      ].map((args) => gpt2(["serve", ...args])),
    );
    other.close();
    expect(errors.map(({ status, stderr }) => [status, stderr])).toEqual([
      [1, `gpt2: --port: another program listens at ${port} already; 0 takes any port that is free\n`],
      [1, 'gpt2: --host: this machine has no address "nowhere.invalid"\n'],
      [1, "gpt2: --threads: expected an integer from 1, got 0\n"],
      [1, "gpt2: --max-cache-bytes: expected 8192 or more, which a text of 2 tokens takes, got 100\n"],
    ]);
  });
});
