// What the worker of a GPT2Worker runs. A worker that you start yourself imports it as `@gpt2-ts/gpt2/worker/thread`.
import { serve } from "./serve.ts";
import { portOf } from "./thread-port.ts";

const parent = globalThis.process?.getBuiltinModule?.("node:worker_threads")?.parentPort;
serve(portOf(parent ?? globalThis));
