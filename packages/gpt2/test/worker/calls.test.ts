import { beforeEach, describe, expect, test } from "vitest";
import { GPT2Worker } from "../../src/worker/index.ts";
import type { Reply, Request } from "../../src/worker/protocol.ts";
import { sentError } from "../../src/worker/sent-error.ts";
import type { WorkerLike } from "../../src/worker/thread-port.ts";

/** A worker that answers what a test says. */
class ScriptedWorker implements WorkerLike {
  readonly received: Request[] = [];
  isEnded = false;
  #listener: ((reply: Reply) => void) | undefined;

  on(event: string, listener: (reply: Reply) => void): void {
    if (event === "message") this.#listener = listener;
  }

  postMessage(request: unknown): void {
    this.received.push(request as Request);
  }

  terminate(): void {
    this.isEnded = true;
  }

  answer(reply: Reply): void {
    this.#listener!(reply);
  }
}

let worker: ScriptedWorker;
beforeEach(() => {
  worker = new ScriptedWorker();
});

/** The id of the call that loads the model. */
async function loadingCall(): Promise<number> {
  await expect.poll(() => worker.received.at(-1)?.type).toBe("call");
  return worker.received.at(-1)!.id;
}

describe("the worker of a load", () => {
  const failure = (id: number): Reply => ({ type: "failed", id, error: sentError(new Error("stopped")) });
  const result = (id: number): Reply => ({ type: "done", id, value: undefined });

  test.each([
    ["fails", failure],
    ["is done all the same", result],
  ])("that is aborted ends when the call %s, so that a download keeps what came", async (_, reply) => {
    const controller = new AbortController();
    const { signal } = controller;
    const loading = GPT2Worker.load("a/folder", { worker, signal, onProgress: () => {} });
    const id = await loadingCall();
    controller.abort("enough");
    await expect(loading).rejects.toBe("enough");
    expect(worker.received.at(-1)).toEqual({ type: "stop", id });
    worker.answer({ type: "called", id, option: "onProgress", argument: {} }); // was on its way
    worker.answer(failure(id + 1));
    expect(worker.isEnded).toBe(false);
    worker.answer(reply(id));
    expect(worker.isEnded).toBe(true);
  });

  test("that fails by itself ends at once", async () => {
    const loading = GPT2Worker.load("a/folder", { worker });
    worker.answer(failure(await loadingCall()));
    await expect(loading).rejects.toThrow("stopped");
    expect(worker.isEnded).toBe(true);
  });
});
