import { DeviceError } from "../../errors.ts";
import {
  DONE,
  FAILED,
  FAILURE_CAPACITY,
  FAILURE_LENGTH,
  FAILURE_MESSAGE,
  HEAP,
  TRAINING_MODULE,
  TRAINING_MODULE_LENGTH,
} from "./abi.ts";
import { noByteKernels } from "./byte-products.ts";
import { canBlock, nodeModule } from "./features.ts";
import type { WasmMemory } from "./memory.ts";

/**
 * Looks at the job word that a worker takes before it sleeps: a millisecond or so, longer than the gap between two tokens,
 * because to be woken takes a tenth of one.
 */
const WORKER_SPINS = 400_000;
/** Milliseconds that the waiting thread sleeps before it looks for failures again. */
const WAIT_STEP = 100;

/** What is instantiated on every thread: the kernels, and those that multiply bytes, where the engine compiles them. */
export interface KernelModules {
  // `WebAssembly.Module`s, only handed on. Declarations do without WebAssembly's types, because those of the DOM are not
  // everybody's.
  readonly main: object;
  readonly bytes: object | undefined;
}

/**
 * What a worker runs: its own instances of the modules over the shared memory. The kernels of training are needed later, if at all,
 * and a worker hears no messages then: it finds them in the memory. When it fails, it leaves its message there, because the thread
 * that waits for it does not return to its event loop to hear of it.
 */
const workerBody = `
function serve({ modules, memory, spins }) {
  try {
    const env = { memory };
    const none = { ${Object.keys(noByteKernels).map((name) => `${name}() {}`)} };
    const bytes = modules.bytes ? new WebAssembly.Instance(modules.bytes, { env }).exports : none;
    let added;
    const runChunk = (job, chunk) => {
      added ??= new WebAssembly.Instance(new WebAssembly.Module(trainingModule()), { env }).exports;
      added.runChunk(job, chunk);
    };
    const trainingModule = () => {
      const length = new Int32Array(memory.buffer)[${TRAINING_MODULE_LENGTH >> 2}];
      return new Uint8Array(memory.buffer, ${TRAINING_MODULE}, length).slice();
    };
    new WebAssembly.Instance(modules.main, { env, bytes, training: { runChunk } }).exports.serve(spins);
  } catch (error) {
    const text = new TextEncoder().encode(String(error && error.message || error)).subarray(0, ${FAILURE_CAPACITY});
    new Uint8Array(memory.buffer).set(text, ${FAILURE_MESSAGE});
    const words = new Int32Array(memory.buffer);
    Atomics.store(words, ${FAILURE_LENGTH >> 2}, text.length);
    Atomics.store(words, ${FAILED >> 2}, 1);
    Atomics.notify(words, ${DONE >> 2});
  }
}`;
const nodeSource = `${workerBody}\nserve(require("node:worker_threads").workerData);`;
const pageSource = `${workerBody}\nonmessage = (event) => serve(event.data);`;

/** The address of {@link pageSource}, once it was needed. */
let pageSourceUrl: string | undefined;

/** A worker, Node's or a page's, as far as the pool needs it. */
interface PoolWorker {
  terminate(): unknown;
}

/** What a user is told when there are fewer threads than were asked for. */
export function tooFewThreads(threads: number, wanted: number, reason: string): string {
  return `the wasm device runs on ${threads} of ${wanted} threads: ${reason}`;
}

/** Threads beside the calling one. They are unreferenced: they never keep a program alive. */
export class WorkerPool {
  readonly #wanted: number;
  /** Workers that could not be started, and why. */
  #missing = 0;
  #reason = "";
  readonly #memory: WasmMemory;
  readonly #timeout: number;
  readonly #workers: PoolWorker[] = [];
  #broken: string | undefined;
  #disposed = false;

  /** @param timeout Milliseconds without progress after which a worker counts as lost. */
  constructor(modules: KernelModules, memory: WasmMemory, count: number, timeout: number) {
    this.#memory = memory;
    this.#timeout = timeout;
    this.#wanted = count;
    const start = { modules, memory: memory.memory, spins: WORKER_SPINS };
    try {
      while (this.#workers.length < count) this.#workers.push(this.#startWorker(start));
    } catch (error) {
      this.#notStarted(count - this.#workers.length, error as Error);
    }
  }

  /** Why there are fewer workers than were asked for. Those that there are do the work, the calling thread alone if need be. */
  get notice(): string | undefined {
    if (this.#missing === 0) return undefined;
    return tooFewThreads(
      1 + this.#wanted - this.#missing,
      1 + this.#wanted,
      `no more can be started (${this.#reason})`,
    );
  }

  /** For tests and tools: the workers themselves. */
  get workers(): readonly PoolWorker[] {
    return this.#workers;
  }

  /** Throws {@link DeviceError} when a worker was lost: what it left behind is not to be trusted. */
  check(): void {
    if (this.#broken === undefined) return;
    throw new DeviceError("wasm", `${this.#broken}; create a new wasm backend to go on`);
  }

  /** Waits until `chunks` chunks are done. Throws {@link DeviceError} when that will not happen. */
  wait(chunks: number): void {
    const words = new Int32Array(this.#memory.buffer, 0, HEAP >> 2);
    let done = -1;
    // Milliseconds without progress. A step counts as no more than it should take: the process may have been suspended.
    let idle = 0;
    let looked = performance.now();
    while (true) {
      const now = Atomics.load(words, DONE >> 2);
      if (now === chunks) return;
      if (Atomics.load(words, FAILED >> 2) !== 0) this.#fail(`a worker failed: ${this.#message()}`);
      const time = performance.now();
      idle = now === done ? idle + Math.min(time - looked, 2 * WAIT_STEP) : 0;
      looked = time;
      done = now;
      if (idle >= this.#timeout) {
        this.#fail(`a worker did not finish its part of the work within ${this.#timeout / 1000} s`);
      }
      if (canBlock()) Atomics.wait(words, DONE >> 2, now, Math.min(WAIT_STEP, this.#timeout));
    }
  }

  /** Marks the pool as unusable: a job was left half done. */
  abandon(reason: string): void {
    this.#broken ??= reason;
  }

  dispose(): void {
    this.#disposed = true;
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
  }

  #fail(reason: string): never {
    this.#broken = reason;
    for (const worker of this.#workers) worker.terminate();
    throw new DeviceError("wasm", reason);
  }

  /** The message that a failed worker left. */
  #message(): string {
    const { buffer } = this.#memory;
    const length = Atomics.load(new Int32Array(buffer), FAILURE_LENGTH >> 2);
    // Decoders do not read shared memory, so the bytes are copied first.
    return new TextDecoder().decode(new Uint8Array(buffer, FAILURE_MESSAGE, length).slice());
  }

  #notStarted(count: number, { message }: Error): void {
    this.#missing += count;
    this.#reason = message;
  }

  #lost(reason: string): void {
    if (!this.#disposed) this.#broken ??= reason;
  }

  #startWorker(start: object): PoolWorker {
    const threads = nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
    if (threads) {
      const worker = new threads.Worker(nodeSource, {
        eval: true,
        workerData: start,
        execArgv: [],
        name: "gpt2-ts wasm",
        // Not piped to the program's own streams: each worker would add listeners there, and from the eleventh on Node warns.
        stdout: true,
        stderr: true,
      });
      worker.unref();
      let started = true;
      worker.on("error", (error: NodeJS.ErrnoException) => {
        // With too few file descriptors it never ran, and took no work.
        started = error.code !== "ERR_WORKER_INIT_FAILED";
        if (started) this.#lost(`a worker failed: ${error.message}`);
        else this.#notStarted(1, error);
      });
      worker.on("exit", () => started && this.#lost("a worker was terminated"));
      return worker;
    }
    pageSourceUrl ??= URL.createObjectURL(new Blob([pageSource], { type: "text/javascript" }));
    const worker = new Worker(pageSourceUrl);
    // There is no message when the worker could not be started at all.
    worker.onerror = ({ message = "it was not allowed to start; a Content-Security-Policy needs worker-src blob:" }) =>
      this.#lost(`a worker failed: ${message}`);
    worker.postMessage(start);
    return worker;
  }
}
