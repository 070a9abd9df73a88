/**
 * The bandwidth of a plain read loop: what the memory gives at this hour, the limit of decoding. Each of two threads
 * reads a block of its own that no cache holds, 16 bytes at a time, and adds up what it read.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import asc from "assemblyscript/asc";

/** Bytes each thread reads: many times the last-level cache. */
const BLOCK_BYTES = 256 * 2 ** 20;
const WASM_PAGE = 65_536;

/** AssemblyScript: four independent sums, so that the additions never hold up the loads. */
const READ_LOOP = `
export function sum(bytes: usize): f32 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (let p: usize = 0; p < bytes; p += 64) {
    a = f32x4.add(a, v128.load(p));
    b = f32x4.add(b, v128.load(p, 16));
    c = f32x4.add(c, v128.load(p, 32));
    d = f32x4.add(d, v128.load(p, 48));
  }
  const s = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3);
}`;

/** Runs in each worker: plain JavaScript, because a worker from a string is not compiled. */
const READER = `
const { parentPort, workerData } = require("node:worker_threads");
const memory = new WebAssembly.Memory({ initial: workerData.pages });
new Float32Array(memory.buffer).fill(1);
const { sum } = new WebAssembly.Instance(new WebAssembly.Module(workerData.binary), { env: { memory } }).exports;
sum(workerData.bytes);
parentPort.on("message", () => parentPort.postMessage(sum(workerData.bytes)));
parentPort.postMessage("ready");`;

export interface ReadLoop {
  /** Bytes per second that all threads together read, in one pass. */
  sample(): Promise<number>;
}

/** Starts the reading threads; they rest between samples. */
export async function startReadLoop(threads: number): Promise<ReadLoop> {
  const { binary, error, stderr } = await asc.compileString(READ_LOOP, {
    optimizeLevel: 3,
    runtime: "stub",
    importMemory: true,
    enable: ["simd"],
  });
  if (error !== null || binary === null) throw new Error(`the read loop does not compile: ${error ?? stderr}`);
  const workerData = { binary, bytes: BLOCK_BYTES, pages: BLOCK_BYTES / WASM_PAGE };
  const workers = Array.from({ length: threads }, () => new Worker(READER, { eval: true, workerData }));
  await Promise.all(workers.map(reply));
  return {
    async sample() {
      const start = performance.now();
      const replies = workers.map(reply);
      for (const worker of workers) worker.postMessage("go");
      await Promise.all(replies);
      return (threads * BLOCK_BYTES) / ((performance.now() - start) / 1000);
    },
  };
}

/** The worker's next message, or its error. */
async function reply(worker: Worker): Promise<void> {
  await once(worker, "message");
}
