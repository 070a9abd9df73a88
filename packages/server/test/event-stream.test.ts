import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { EventStream } from "../src/completions/event-stream.ts";

const server = createServer();
afterEach(() => server.close());

/** A response, and the client's end of its connection, which does not read yet. */
async function connected(): Promise<{ response: ServerResponse; client: Socket }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  client.pause();
  client.write("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  return { response, client };
}

/** More than the system's buffers between two ends take. */
async function fill(response: ServerResponse, events: EventStream): Promise<number> {
  let sent = 0;
  for (; !response.writableNeedDrain; sent++) {
    events.send({ text: "x".repeat(2 ** 20) });
    await sleep(5);
  }
  return sent;
}

describe("a stream of events", () => {
  it("is closed when its reader takes nothing for a time", async () => {
    const { response, client } = await connected();
    const events = new EventStream(response, 200);
    await fill(response, events);
    events.send({ text: "waits" });
    await once(response, "close");
    expect(response.writableFinished).toBe(false);
    events.send({ text: "into the void" });
    events.end();
    client.destroy();
  });

  it("is closed at once when too much waits", async () => {
    const { response, client } = await connected();
    const events = new EventStream(response, 60_000);
    await fill(response, events);
    for (let i = 0; i < 5; i++) events.send({ text: "x".repeat(2 ** 20) });
    expect(response.destroyed).toBe(true);
    client.destroy();
  });

  it("loses nothing for a slow reader who reads at last", async () => {
    const { response, client } = await connected();
    const events = new EventStream(response, 60_000);
    const sent = await fill(response, events);
    events.send({ text: "waits" });
    events.send("[DONE]");
    events.end();
    await sleep(50);
    client.resume();
    const received = await text(client);
    expect(received.split("data: ")).toHaveLength(sent + 3);
    expect(received).toMatch(
      /data: \{"text":"waits"\}\n\n\r\n.*data: \[DONE\]|data: \{"text":"waits"\}\n\ndata: \[DONE\]/s,
    );
  });
});
