/** What `bench:gpu` writes to `results/<processor>/gpu-node*.json`. */
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import type { Transfers } from "../engines/matmul-engine.ts";
import type { RunConditions } from "../harness/machine.ts";
import type { Spread } from "../harness/statistics.ts";
import type { ErrorSummary } from "../reference-values.ts";
import type { Facts } from "../speed/result.ts";
import type { Way } from "./forward-child.ts";

/** A mode that was asked for: what it runs on, or why it is not here. */
export interface ModeFound {
  readonly mode: GpuMode;
  readonly facts: Facts | undefined;
  readonly missing: string | undefined;
}

/** Milliseconds of one contestant's product, readback included. */
export interface ProductTime {
  /** Undefined for the wasm backend. */
  readonly mode: GpuMode | undefined;
  readonly contestant: "GPU.js's README" | "gpt2-ts";
  readonly milliseconds: Spread;
  /** Of one product. */
  readonly transfers: Transfers | undefined;
}

export interface ProductComparison {
  /** m, k, n */
  readonly sizes: readonly [number, number, number];
  readonly times: readonly ProductTime[];
  /** By mode: how many times faster ours was than the README's, in the same rounds. */
  readonly ratios: readonly { readonly mode: GpuMode; readonly ratio: Spread }[];
  readonly repeated: number;
  readonly disturbed: number;
  readonly foreign?: number;
}

/** One way to run a prompt: what it took and moved. */
export interface ForwardTime {
  readonly mode: GpuMode;
  readonly way: Way;
  readonly executor: string;
  readonly milliseconds: Spread;
  /** Kernels run. */
  readonly launches: number;
  readonly uploads: number;
  /** In webgpu, calls of `mapAsync`, counted at WebGPU itself. */
  readonly readbacks: number;
  /** Calls of the queue's `submit`, counted at WebGPU itself; undefined in the other modes. */
  readonly submissions: number | undefined;
}

/** Logits against float64. */
export interface GpuErrors {
  readonly model: string;
  readonly mode: GpuMode;
  readonly tokens: number;
  readonly logits: ErrorSummary;
}

export interface GpuResult {
  readonly kind: "gpu";
  readonly command: string;
  readonly conditions: RunConditions;
  readonly versions: Readonly<Record<"gpu.js" | "webgpu", string>>;
  readonly modes: readonly ModeFound[];
  readonly products?: readonly ProductComparison[];
  readonly forwards?: { readonly model: string; readonly tokens: number; readonly times: readonly ForwardTime[] };
  readonly errors?: readonly GpuErrors[];
}
