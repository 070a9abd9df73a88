import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../benchmarks/src/paths.ts";
import { Client } from "../../benchmarks/src/serve/client.ts";
import { ServerProcess } from "../../benchmarks/src/serve/server-process.ts";
import { useLibrary } from "./support/alone.ts";
import { Connection, completionRequest, statuses } from "./support/raw.ts";
import { ONE_THREAD, startServer, until } from "./support/server.ts";

const LONG = { prompt: "ROMEO:", max_tokens: 40, temperature: 1, seed: 5, stream: true } as const;

describe("a server that is told to end", () => {
  const library = useLibrary();

  it.each(["SIGTERM", "SIGINT"] as const)(
    "by %s lets those finish whom it has begun to answer, and takes no others",
    async (signal) => {
      const server = await startServer();
      const client = new Client(server.url, 8);
      const { text } = await library.alone(LONG);
      const streams = Array.from({ length: 4 }, () => client.send(LONG));
      const first = await Connection.open(server);
      first.write(completionRequest(server, LONG));
      await first.until(/data: /);
      server.kill(signal);
      for (const answer of await Promise.all(streams)) expect(answer.choices[0]!.text).toBe(text);
      await first.until(/\[DONE\]/);
      expect(await server.ended).toEqual({ status: 0, signal: null });
      await expect(client.send(LONG)).rejects.toMatchObject({ code: "ECONNREFUSED" });
      client.close();
    },
  );

  it("does not wait for connections that ask nothing, or have asked half of it", async () => {
    const server = await startServer();
    const silent = await Connection.open(server);
    const half = await Connection.open(server);
    half.write(completionRequest(server, LONG).slice(0, 60));
    const kept = await Connection.open(server);
    kept.write(completionRequest(server, { ...LONG, max_tokens: 1, stream: false }));
    await kept.until(/"usage"/);
    expect(await server.stop()).toEqual({ status: 0, signal: null });
    expect(statuses(kept.received)).toEqual([200]);
    // Had it waited for their requests, it would have answered 408 at last.
    for (const connection of [silent, half]) expect(await connection.untilClosed()).toBe("");
    await kept.untilClosed();
  });

  it("twice ends at once", async () => {
    const server = await startServer();
    const first = await Connection.open(server);
    first.write(completionRequest(server, { ...LONG, n: 100, max_tokens: 240, logit_bias: library.neverEnds }));
    await first.until(/data: /);
    server.kill("SIGTERM");
    await until(() => server.output.includes('"closing"')); // signals that come together are one
    server.kill("SIGTERM");
    expect(await server.ended).toEqual({ status: null, signal: "SIGTERM" });
    expect(first.received).not.toContain("[DONE]");
  });
});

describe("a server whose model is removed", () => {
  const library = useLibrary();

  it("goes on from memory, with the same bits", async () => {
    const room = await mkdtemp(join(tmpdir(), "gpt2-serve-"));
    const model = join(room, "model");
    await cp(SHAKESPEARE, model, { recursive: true });
    await using server = await ServerProcess.start({ model, flags: ONE_THREAD });
    await rm(room, { recursive: true });
    const client = new Client(server.url, 4);
    const { text } = await library.alone(LONG);
    const answers = await Promise.all(Array.from({ length: 4 }, () => client.send(LONG)));
    expect(answers.map(({ choices }) => choices[0]!.text)).toEqual([text, text, text, text]);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    client.close();
  });
});
