import { setMaxListeners } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../../benchmarks/src/paths.ts";
import { ServerProcess } from "../../../benchmarks/src/serve/server-process.ts";
import { Connection, completionRequest, statuses } from "../support/raw.ts";
import { ONE_THREAD, tally, until } from "../support/server.ts";

const LONG = { prompt: "ROMEO:", max_tokens: 240, temperature: 1, logit_bias: { "1023": -100 } };
/** Texts that are continued together, which is the default, and requests that wait. */
const CONCURRENT = 16;
const QUEUE = 32;

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
      flags: [...ONE_THREAD, "--max-queue", String(QUEUE)],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 512 });
    const full = { ...LONG, n: 4 };
    /** Sends so many, and says what becomes of them; those that are not refused end when the signal aborts. */
    const send = (count: number, signal: AbortSignal): Promise<void>[] =>
      Array.from({ length: count }, async () => {
        const [status, retryAfter] = (await post(server, agent, full, signal).catch(() => undefined)) ?? [];
        if (status === 429 && Number(retryAfter) > 0) refused++;
        else if (status !== undefined && status !== 200) throw new Error(`status ${status}, Retry-After ${retryAfter}`);
      });
    /** Waits until each of so many requests was answered, or has a place among those that are. */
    const known = (sent: number): Promise<void> =>
      until(async () => {
        const { answered, open } = await tally(server);
        return Object.values(answered).reduce((sum, count) => sum + count, open) === sent;
      });
    let refused = 0;
    const held = new AbortController();
    setMaxListeners(0, held.signal);
    const holding = send(CONCURRENT + QUEUE, held.signal);
    await known(CONCURRENT + QUEUE);
    const before = server.residentBytes();
    for (let sent = 0; sent < 10_000; sent += 250) {
      const wave = new AbortController();
      setMaxListeners(0, wave.signal);
      const tried = send(250, wave.signal);
      await known(CONCURRENT + QUEUE + sent + 250);
      wave.abort(); // whoever took a place that came free gives it back
      await Promise.all(tried);
    }
    const { answered } = await tally(server);
    console.log(`refused ${refused}; by status ${JSON.stringify(answered)}`);
    expect(answered["429"]).toBe(refused);
    expect(refused).toBeGreaterThan(9000);
    const grown = server.residentBytes() - before;
    console.log(`resident memory grew by ${(grown / 1e6).toFixed(0)} MB`);
    expect(grown).toBeLessThan(64e6);
    held.abort();
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
    await until(() => slow.every(({ closed }) => closed));
    clearInterval(dripping);
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
    console.log(`200 clients that do not read: resident memory at most ${(most.bytes / 1e6).toFixed(0)} MB`);
    expect(most.bytes).toBeLessThan(1e9);
  });
});
