/** `gpt2 serve`, as it was built, with the Shakespeare model. */
import { setTimeout as after } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { SHAKESPEARE } from "../../../benchmarks/src/paths.ts";
import { ServerProcess } from "../../../benchmarks/src/serve/server-process.ts";
import type { Sent } from "./alone.ts";

export type { ServerProcess };

/** The Shakespeare model is small, and the clients need a processor too. */
export const ONE_THREAD = ["--threads", "1"];

export function startServer(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  return ServerProcess.start({ model: SHAKESPEARE, flags: [...ONE_THREAD, ...flags], env });
}

/** A server for the tests of a file. */
export function useServer(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): { readonly server: ServerProcess } {
  let server: ServerProcess | undefined;
  beforeAll(async () => {
    server = await startServer(flags, env);
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

/** A metric of the server now: the sum over its labels. */
export async function metric(server: ServerProcess, name: string, key = ""): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();
  const values = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (values.length === 0) throw new Error(`no metric ${name} in:\n${text}`);
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** Waits until the server has nothing to do: no request is open, and no text is in a pass. */
export async function idle(server: ServerProcess, { key = "", withinMs = 5000 } = {}): Promise<void> {
  const late = performance.now() + withinMs;
  const busy = async (): Promise<number> => {
    let sum = 0;
    for (const name of BUSY) sum += await metric(server, name, key);
    return sum;
  };
  while ((await busy()) > 0) {
    if (performance.now() > late) throw new Error("the server still works on what nobody waits for");
    await after(20);
  }
}

const BUSY = ["gpt2_requests_running", "gpt2_requests_waiting", "gpt2_texts_running"];
