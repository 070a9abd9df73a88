import { execFileSync, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DONE, HEAP } from "../../src/backends/wasm/abi.ts";
import { createWasmBackend, type WasmBackend, type WasmOptions } from "../../src/backends/wasm/index.ts";
import { DeviceError } from "../../src/errors.ts";
import { linearOp } from "../../src/ops/matmul.ts";
import { generator, randomFloats, runOn } from "../wasm-kernels/harness.ts";
import { transpiledSources } from "./transpiled.ts";

function backendOf(options: WasmOptions): WasmBackend {
  const backend = createWasmBackend(options);
  onTestFinished(() => backend.dispose());
  return backend;
}

/** faultJob of kernels/pool.ts: what to do to whom. */
const fault = { none: 0, workerTraps: 1, workerHangs: 2, callerTraps: 3 };

/** A product large enough to be split. */
function someWork(backend: WasmBackend): Float32Array {
  const random = generator(3);
  const inputs = [randomFloats([64, 500], random), randomFloats([500, 300], random)];
  const [result] = runOn(backend, linearOp, inputs, { activation: "none" }, [{ dtype: "float32", shape: [64, 300] }]);
  return result as Float32Array;
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(DeviceError);
    return (error as DeviceError).message;
  }
  throw new Error("nothing was thrown");
}

describe("the worker pool", () => {
  it("starts no worker before there is work for two threads", () => {
    const backend = backendOf({ threads: 2 });
    backend.runtime.run("faultJob", 1, [fault.none]);
    expect(backend.runtime.pool).toBeUndefined();
    backend.runtime.run("faultJob", 2, [fault.none]);
    expect(backend.runtime.pool?.workers).toHaveLength(1);
  });

  it("runs every chunk of thousands of jobs exactly once, with the arguments of its own job", () => {
    const backend = backendOf({ threads: 4 });
    const { runtime } = backend;
    const source = runtime.memory.allocate(4 * 1024);
    const target = runtime.memory.allocate(4 * 1024);
    const from = new Int32Array(runtime.memory.buffer, source.pointer, 1024);
    const to = new Int32Array(runtime.memory.buffer, target.pointer, 1024);
    for (let round = 0; round < 20_000; round++) {
      const chunks = 2 + (round % 37);
      for (let i = 0; i < chunks; i++) {
        from[i] = round * 64 + i;
        to[i] = -1;
      }
      to[chunks] = -1;
      runtime.run("copyJob", chunks, [source.pointer, target.pointer, 4, 1, chunks, 1, 1]);
      for (let i = 0; i < chunks; i++) if (to[i] !== from[i]) throw new Error(`round ${round}: ${to[i]} at ${i}`);
      if (to[chunks] !== -1) throw new Error(`round ${round} wrote past its end`);
    }
  });

  it("reports a worker that throws, at once and from then on", () => {
    const backend = backendOf({ threads: 2 });
    expect(messageOf(() => backend.runtime.run("faultJob", 2, [fault.workerTraps]))).toBe(
      "wasm: a worker failed: unreachable",
    );
    expect(messageOf(() => someWork(backend))).toBe(
      "wasm: a worker failed: unreachable; create a new wasm backend to go on",
    );
  });

  it("reports a worker that never finishes, after the time allowed", () => {
    const backend = backendOf({ threads: 2, workerTimeout: 300 });
    expect(messageOf(() => backend.runtime.run("faultJob", 2, [fault.workerHangs]))).toBe(
      "wasm: a worker did not finish its part of the work within 0.3 s",
    );
    expect(messageOf(() => someWork(backend))).toContain("create a new wasm backend");
  });

  it("reports a worker that is killed while it works", async () => {
    const backend = backendOf({ threads: 2, workerTimeout: 2000 });
    const expected = someWork(backend);
    void backend.runtime.pool!.workers[0]!.terminate();
    // It dies during one of these products, or between two: results are right until one of them throws.
    const message = await (async () => {
      for (;;) {
        try {
          expect(someWork(backend)).toEqual(expected);
        } catch (error) {
          if (error instanceof DeviceError) return error.message;
          throw error;
        }
        await sleep(0);
      }
    })();
    expect(message).toMatch(/a worker (was terminated|did not finish)/);
  });

  it("notices a worker that was killed between two ops", async () => {
    const backend = backendOf({ threads: 3 });
    someWork(backend);
    await backend.runtime.pool!.workers[1]!.terminate();
    await sleep(10);
    expect(messageOf(() => someWork(backend))).toBe(
      "wasm: a worker was terminated; create a new wasm backend to go on",
    );
  });

  it("reports a kernel that traps on the calling thread", () => {
    const backend = backendOf({ threads: 1 });
    expect(messageOf(() => backend.runtime.run("faultJob", 1, [fault.callerTraps]))).toBe(
      "wasm: faultJob failed: unreachable",
    );
    expect(someWork(backend)).toHaveLength(64 * 300);
  });

  it("refuses work after dispose, and ends its workers", async () => {
    const backend = createWasmBackend({ threads: 3 });
    someWork(backend);
    backend.dispose();
    expect(messageOf(() => someWork(backend))).toBe("wasm: this backend was disposed");
  });

  it("lets a program end by itself, its workers asleep or at work", () => {
    const folder = transpiledSources();
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const program = `
      const { createWasmBackend } = await import(${JSON.stringify(pathToFileURL(join(folder, "backends/wasm/index.js")).href)});
      const backend = createWasmBackend({ threads: 3 });
      backend.runtime.run("faultJob", 8, [0]);
      if (process.argv[1] === "asleep") await new Promise((resolve) => setTimeout(resolve, 200));
      console.log(backend.runtime.pool.workers.length, "workers");`;
    for (const state of ["asleep", "at work"]) {
      const output = execFileSync(process.execPath, ["--input-type=module", "-e", program, state], {
        timeout: 50_000,
        encoding: "utf8",
      });
      expect(output).toBe("2 workers\n");
    }
  });

  it("prints no warning, however many workers there are", () => {
    const folder = transpiledSources();
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const program = `
      const { createWasmBackend } = await import(${JSON.stringify(pathToFileURL(join(folder, "backends/wasm/index.js")).href)});
      createWasmBackend({ threads: 16 }).runtime.run("faultJob", 64, [0]);
      for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {}).once("drain", () => {});
      process.on("SIGINT", () => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log("done");
      process.exit();`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--trace-warnings", "--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect({ stdout, stderr }).toEqual({ stdout: "done\n", stderr: "" });
  });

  it("does not count the time for which the process was suspended", () => {
    const backend = backendOf({ threads: 2, workerTimeout: 2000 });
    backend.runtime.run("faultJob", 2, [fault.none]);
    // A worker of the test's own plays one that needs a third of a second for a chunk: a few looks of the waiting thread.
    const words = new Int32Array(backend.runtime.memory.buffer, 0, HEAP >> 2);
    Atomics.store(words, DONE >> 2, 1);
    const finish = `const { words, done } = require("node:worker_threads").workerData;
      Atomics.wait(words, 0, Atomics.load(words, 0), 300);
      Atomics.store(words, done, 2);
      Atomics.notify(words, done);`;
    const slow = new Worker(finish, { eval: true, workerData: { words, done: DONE >> 2 } });
    onTestFinished(async () => void (await slow.terminate()));
    const now = performance.now.bind(performance);
    let looks = 0;
    // The clock of a computer that was closed for an hour between two looks.
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + (++looks > 2 ? 3_600_000 : 0));
    onTestFinished(() => clock.mockRestore());
    backend.runtime.pool!.wait(2);
    expect(looks).toBeGreaterThan(2);
  });

  it("does with fewer workers, and says so, when the system gives no more", () => {
    const threads = process.getBuiltinModule("node:worker_threads");
    let started = 0;
    class FewWorkers extends threads.Worker {
      constructor(...args: ConstructorParameters<typeof threads.Worker>) {
        if (started++ === 2) throw new Error("EAGAIN");
        super(...args);
      }
    }
    const builtin = vi.spyOn(process, "getBuiltinModule");
    builtin.mockReturnValue({ ...threads, Worker: FewWorkers });
    const backend = backendOf({ threads: 6 });
    const result = someWork(backend);
    builtin.mockRestore();
    expect(backend.runtime.pool!.workers).toHaveLength(2);
    expect(backend.notice).toBe("the wasm device runs on 3 of 6 threads: no more can be started (EAGAIN)");
    expect(result).toEqual(someWork(backendOf({ threads: 1 })));
  });

  it("rejects options that make no sense", () => {
    expect(() => createWasmBackend({ threads: 0 })).toThrow(RangeError);
    expect(() => createWasmBackend({ threads: 1.5 })).toThrow(RangeError);
    expect(() => createWasmBackend({ workerTimeout: 0 })).toThrow(RangeError);
  });

  it("says what was asked for when memory is exhausted", () => {
    const backend = backendOf({ threads: 1 });
    const half = backend.allocate("uint8", 2 ** 31);
    half.retain();
    expect(messageOf(() => backend.allocate("uint8", 2 ** 31))).toMatch(
      /out of memory: 2048 MiB asked for, 2048 MiB in use of at most 4096 MiB/,
    );
    half.release();
    backend.allocate("uint8", 2 ** 31);
    expect(backend.info().usedBytes).toBe(2 ** 31);
  });
});
