import type { Backend, MatrixEncoding } from "@gpt2-ts/tensor";
import type { GPT2 } from "../gpt2.ts";

/** What a model runs on, and what it takes. */
export interface ModelInfo {
  readonly device: Backend["name"];
  /** How its weights are kept, and the keys and values of tokens. */
  readonly dtype: MatrixEncoding;
  readonly cacheDtype: MatrixEncoding;
  /** Threads that compute; undefined where the device has none of its own. */
  readonly threads: number | undefined;
  /** Bytes in use by tensors, and bytes of memory taken from the system so far, where the device counts them. */
  readonly usedBytes: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** What is asked of a device that knows: `WasmBackend` does. */
interface Counting {
  info?(): { readonly threads?: number; readonly usedBytes?: number; readonly memoryBytes?: number };
}

export function infoOf({ model }: GPT2): ModelInfo {
  const { wte } = model.weights;
  const { threads, usedBytes, memoryBytes } = (wte.device as Backend & Counting).info?.() ?? {};
  const dtype = (wte.storage.packed?.encoding.name ?? "f32") as MatrixEncoding;
  return { device: wte.device.name, dtype, cacheDtype: model.cacheDtype, threads, usedBytes, memoryBytes };
}
