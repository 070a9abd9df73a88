import { setMaxListeners } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../../benchmarks/src/paths.ts";
import { ServerProcess } from "../../../benchmarks/src/serve/server-process.ts";
import { Connection, completionRequest, statuses } from "../support/raw.ts";
import { ONE_THREAD } from "../support/server.ts";

const LONG = { prompt: "ROMEO:", max_tokens: 240, temperature: 1, logit_bias: { "1023": -100 } };
const MINUTE = 60_000;
/** A refusal comes at once, but this machine may have other things to do. */
const PATIENCE_MS = 5000;

/** The status of a request, and what stands in Retry-After. */
function post(
  server: ServerProcess,
  agent: Agent,
  body: object,
  signal?: AbortSignal,
): Promise<[number, string | undefined]> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const call = request(`${server.url}/v1/completions`, { method: "POST", agent, headers, signal }, (response) => {
      response.resume();
      response.on("end", () => resolve([response.statusCode!, response.headers["retry-after"]]));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

async function healthy(server: ServerProcess): Promise<void> {
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  const agent = new Agent();
  expect(await post(server, agent, { prompt: "To be", max_tokens: 4 })).toEqual([200, undefined]);
  agent.destroy();
}

describe("gpt2 serve", () => {
  it("refuses 10,000 requests beyond its queue with 429 and a time to come again, and keeps its memory", async () => {
    await using server = await ServerProcess.start({
      model: SHAKESPEARE,
      flags: [...ONE_THREAD, "--max-queue", "32"],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 512 });
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const full = { ...LONG, n: 4 };
    const holding = Array.from({ length: 48 }, () => post(server, agent, full, controller.signal).catch(() => {}));
    await after(500);
    const before = server.residentBytes();
    let refused = 0;
    let accepted = 0;
    for (let sent = 0; sent < 10_000; sent += 250) {
      const attempt = async (): Promise<void> => {
        const giveUp = new AbortController();
        const answer = post(server, agent, full, giveUp.signal).catch(() => undefined);
        const [status, retryAfter] = (await Promise.race([answer, after(PATIENCE_MS)])) ?? [];
        giveUp.abort(); // what is not refused by now waits in the queue, where another's place came free
        if (status === undefined || status === 200) accepted++;
        else {
          expect(status).toBe(429);
          expect(Number(retryAfter)).toBeGreaterThan(0);
          refused++;
        }
      };
      await Promise.all(Array.from({ length: 250 }, attempt));
    }
    expect(refused + accepted).toBe(10_000);
    expect(refused).toBeGreaterThan(5000);
    expect(server.residentBytes() - before).toBeLessThan(64e6);
    controller.abort();
    await Promise.all(holding);
    agent.destroy();
    await healthy(server);
  });

  it("closes 500 connections that never finish their headers, or their body, and answers others meanwhile", async () => {
    await using server = await ServerProcess.start({ model: SHAKESPEARE, flags: ONE_THREAD });
    const slow = await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        const connection = await Connection.open(server);
        const text = completionRequest(server, LONG);
        connection.write(i % 2 === 0 ? "POST /v1/completions HTTP/1.1\r\n" : text.slice(0, -10));
        return connection;
      }),
    );
    const dripping = setInterval(() => {
      for (const [i, connection] of slow.entries())
        if (!connection.closed) connection.write(i % 2 === 0 ? "X-A: b\r\n" : " ");
    }, 5000);
    await healthy(server);
    const late = performance.now() + 3 * MINUTE;
    while (slow.some((connection) => !connection.closed) && performance.now() < late) await after(500);
    clearInterval(dripping);
    expect(slow.filter((connection) => !connection.closed)).toHaveLength(0);
    for (const { received } of slow) expect([[], [408], [400]]).toContainEqual(statuses(received));
    await healthy(server);
  });

  it("keeps its memory while 200 clients do not read what they asked for, and lets go of them", async () => {
    await using server = await ServerProcess.start({ model: SHAKESPEARE, flags: ONE_THREAD });
    await healthy(server);
    const slow = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const connection = await Connection.open(server);
        connection.socket.pause();
        connection.write(completionRequest(server, { ...LONG, stream: true, logprobs: 20, n: 4 }));
        return connection;
      }),
    );
    const most = { bytes: 0 };
    for (let i = 0; i < 60; i++) {
      most.bytes = Math.max(most.bytes, server.residentBytes());
      await after(500);
    }
    for (const connection of slow) connection.socket.resetAndDestroy();
    await healthy(server);
    expect(most.bytes).toBeLessThan(1e9);
  });
});
