/** `gpt2 serve`, as it was built. */
import { setTimeout as after } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { SHAKESPEARE } from "../../../benchmarks/src/paths.ts";
import { ServerProcess } from "../../../benchmarks/src/serve/server-process.ts";
import type { Sent } from "./alone.ts";

export type { ServerProcess };

/** These models are small, and the clients need a processor too. */
export const ONE_THREAD = ["--threads", "1"];

export function startServer(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  model = SHAKESPEARE,
): Promise<ServerProcess> {
  return ServerProcess.start({ model, flags: [...ONE_THREAD, ...flags], env });
}

/** A server for the tests of a file. */
export function useServer(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  model = SHAKESPEARE,
): { readonly server: ServerProcess } {
  let server: ServerProcess | undefined;
  beforeAll(async () => {
    server = await startServer(flags, env, model);
  });
  afterAll(async () => {
    expect(await server?.stop()).toEqual({ status: 0, signal: null });
  });
  return {
    get server() {
      return server!;
    },
  };
}

/** A `fetch` that keeps what a client sends. */
export function recorder(): { readonly sent: Sent[]; readonly fetch: typeof globalThis.fetch } {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: (url, init) => {
      if (typeof init?.body === "string") sent.push(JSON.parse(init.body) as Sent);
      return globalThis.fetch(url, init);
    },
  };
}

/** Waits until it is so. What never becomes so meets the test's own limit of time. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await after(10);
}

/** The server's metrics now: name and labels → value. */
async function metrics(server: ServerProcess, key = ""): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end))];
    }),
  );
}

/** Requests for completions so far: how many were answered with each status, and how many are open. */
export async function tally(
  server: ServerProcess,
  key = "",
): Promise<{ readonly answered: Readonly<Record<string, number>>; readonly open: number }> {
  const all = await metrics(server, key);
  const answered: Record<string, number> = {};
  for (const [name, value] of all) {
    const [, status] = /^gpt2_requests_total\{route="\/v1\/completions",status="(\d+)"\}$/.exec(name) ?? [];
    if (status !== undefined) answered[status] = value;
  }
  return { answered, open: all.get("gpt2_requests_running")! + all.get("gpt2_requests_waiting")! };
}

/** Waits until the server has nothing to do: no request is open, and no text is in a pass. */
export async function idle(server: ServerProcess, key = ""): Promise<void> {
  await until(async () => {
    const all = await metrics(server, key);
    return BUSY.every((name) => all.get(name) === 0);
  });
}

const BUSY = ["gpt2_requests_running", "gpt2_requests_waiting", "gpt2_texts_running"];
