// What the worker of a GPT2Worker runs. A worker that you start yourself imports it as `@gpt2-ts/gpt2/worker/thread`.
import { serve } from "./serve.ts";
import { portOf } from "./thread-port.ts";
import { WorkerError } from "./worker-error.ts";

const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
// In a page's worker, and in one of Deno's, where Node's module says that it is the main thread.
const inWorker = "WorkerGlobalScope" in globalThis || threads?.isMainThread === false;
if (!inWorker) throw new WorkerError("this module is for a worker to run");
serve(portOf(threads?.parentPort ?? globalThis));
