export {
  GPT2Worker,
  type InWorkerOptions,
  type WorkerLoadOptions,
  type WorkerPretrainedOptions,
} from "./gpt2-worker.ts";
export type { ModelInfo } from "./info.ts";
export type { WorkerLike } from "./thread-port.ts";
export { WorkerError } from "./worker-error.ts";
