import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { DisposedError } from "@gpt2-ts/tensor/errors";
import { describe, expect, test } from "vitest";
import { GPT2 } from "../../src/index.ts";
import { GPT2Worker, WorkerError } from "../../src/worker/index.ts";
import { SHAKESPEARE } from "../support/models.ts";

// Threads run what is built: Node cannot run the sources of a worker.
const THREAD = new URL("../../dist/worker/gpt2-thread.js", import.meta.url);
const PROMPT = "To be, or not to be";

async function loadInThread(options: object = {}): Promise<{ model: GPT2Worker; worker: Worker }> {
  const worker = new Worker(THREAD, { execArgv: [] }); // without those of vitest, which would lead it to the sources
  return { model: await GPT2Worker.load(SHAKESPEARE, { worker: worker as never, ...options }), worker };
}

describe("a model in a thread of its own", () => {
  test("has the same results, with threads of its own too, while the calling thread goes on", async () => {
    using direct = await GPT2.load(SHAKESPEARE);
    const { model } = await loadInThread({ threads: 3 });
    const texts = Array.from({ length: 8 }, (_, i) => Array.from({ length: 250 }, (_, j) => (i * j) % 1024));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const scores = await model.scoreAll(texts);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10); // in this thread the same passes leave one turn or two
    expect(scores).toEqual(await direct.scoreAll(texts));
    const options = { seed: 2, maxTokens: 20 };
    expect(await model.generate(PROMPT, options)).toEqual(await direct.generate(PROMPT, options));
    model.dispose();
  });

  test("is gone once it is disposed of", async () => {
    const { model, worker } = await loadInThread();
    const ended = once(worker, "exit");
    const pending = model.generate(PROMPT);
    model.dispose();
    await expect(pending).rejects.toThrow(DisposedError);
    await ended;
  });

  test("that ends is a WorkerError for all who wait for it, and who come later", async () => {
    const { model, worker } = await loadInThread();
    const stream = model.stream(PROMPT);
    await stream.next();
    // The rest of the context takes longer than to end a thread.
    const pending = [1, 2, 3].map((seed) => model.generate(PROMPT, { seed, stopAtEndOfText: false }));
    void worker.terminate();
    for (const call of pending) await expect(call).rejects.toThrow("the worker ended (exit code 1)");
    // What was under way may still be read.
    await expect(stream.next().then(() => stream.next().then(() => stream.next()))).rejects.toThrow(WorkerError);
    await expect(model.score(PROMPT)).rejects.toThrow(WorkerError);
  });

  test("that fails is one too, with its error as the cause", async () => {
    const worker = new Worker('throw new RangeError("it went wrong")', { eval: true });
    const error = await GPT2Worker.load(SHAKESPEARE, { worker: worker as never }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({
      message: "the worker failed: it went wrong",
      cause: expect.objectContaining({ message: "it went wrong" }),
    });
  });

  test("does not keep a program from ending, unless something of it is awaited", () => {
    const program = `
      import { GPT2Worker } from "@gpt2-ts/gpt2/worker";
      const model = await GPT2Worker.load(${JSON.stringify(SHAKESPEARE)});
      const { text } = await model.generate(${JSON.stringify(PROMPT)}, { maxTokens: 5, temperature: 0 });
      process.stdout.write(JSON.stringify({ text, error: await model.score([-1]).catch(({ name }) => name) }));
      const stream = model.stream("x");
      await stream.next();`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      encoding: "utf8",
      timeout: 50_000,
    });
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    expect(JSON.parse(stdout)).toEqual({ text: expect.stringMatching(/^ the cause/), error: "TokenIdError" });
  });
});
