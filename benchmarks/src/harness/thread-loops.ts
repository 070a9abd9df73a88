/** A loop in WebAssembly on several threads at once: what the machine yields to plain code at the time. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import asc from "assemblyscript/asc";

const WASM_PAGE = 65_536;

/** Runs in each worker: plain JavaScript, because a worker from a string is not compiled. */
const WORKER = `
const { parentPort, workerData } = require("node:worker_threads");
const memory = new WebAssembly.Memory({ initial: workerData.pages });
new Float32Array(memory.buffer).fill(1);
const { loop } = new WebAssembly.Instance(new WebAssembly.Module(workerData.binary), { env: { memory } }).exports;
loop(workerData.count);
parentPort.on("message", () => parentPort.postMessage(loop(workerData.count)));
parentPort.postMessage("ready");`;

export interface LoopOptions {
  readonly threads: number;
  /** AssemblyScript that exports `loop(count)`; each thread's memory is full of float32 ones. */
  readonly source: string;
  readonly count: number;
  readonly memoryBytes: number;
  readonly relaxedSimd?: boolean;
}

export interface ThreadLoops {
  /** Seconds until `loop` has returned on every thread. */
  sample(): Promise<number>;
}

/** Compiles the loop and starts its threads, which are idle between samples. */
export async function startLoops({
  threads,
  source,
  count,
  memoryBytes,
  relaxedSimd = false,
}: LoopOptions): Promise<ThreadLoops> {
  const { binary, error, stderr } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: "stub",
    importMemory: true,
    enable: relaxedSimd ? ["simd", "relaxed-simd"] : ["simd"],
  });
  if (error !== null || binary === null) throw new Error(`the loop does not compile: ${error ?? stderr}`);
  const workerData = { binary, count, pages: Math.ceil(memoryBytes / WASM_PAGE) };
  const workers = Array.from({ length: threads }, () => new Worker(WORKER, { eval: true, workerData }));
  await Promise.all(workers.map(reply));
  return {
    async sample() {
      const start = performance.now();
      const replies = workers.map(reply);
      for (const worker of workers) worker.postMessage("go");
      await Promise.all(replies);
      return (performance.now() - start) / 1000;
    },
  };
}

/** The worker's next message, or its error. */
async function reply(worker: Worker): Promise<void> {
  await once(worker, "message");
}
