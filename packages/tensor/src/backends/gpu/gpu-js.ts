import { DeviceError } from "../../errors.ts";
import { importOptional } from "./adapter.ts";
import type { WebGl2Context, WebGpuAdapter, WebGpuBuffer, WebGpuDevice } from "./platform-types.ts";

// What the backend uses of GPU.js, as of 2.24.1: https://github.com/gpujs/gpu.js. Names are GPU.js's own. What its
// README does not describe is marked with the file that has it.

/** Where GPU.js runs its kernels. */
export type GpuMode = "webgpu" | "webgl2" | "headlessgl" | "webasm" | "cpu";

export interface GpuJs {
  readonly GPU: GpuClass;
  /** Marks flat data as an array of the given size, so that GPU.js does not visit it element by element. */
  readonly input: (value: Float32Array, size: readonly number[]) => Input;
  readonly WebGPUContext: { acquire(): Promise<WebGpuContext> };
  readonly WebGPUBufferResult: BufferResultClass;
}

export interface GpuClass {
  new (settings: { mode: GpuMode }): Gpu;
  readonly isWebGL2Supported: boolean;
  readonly isHeadlessGLSupported: boolean;
  readonly isWebAssemblySupported: boolean;
}

export interface Gpu {
  createKernel(source: KernelFunction | string, settings: KernelSettings): KernelShortcut;
  createPipeline(record: (...handles: unknown[]) => unknown): PipelineShortcut;
  destroy(): Promise<void>;
}

export interface Input {
  readonly value: Float32Array;
  readonly size: readonly number[];
}

/** What a kernel function sees as `this`. */
export interface KernelThis {
  readonly thread: { readonly x: number; readonly y: number; readonly z: number };
  /** By the names that kernels use; GPU.js only finds them after a dot. */
  readonly constants: Readonly<Record<"op" | "bias" | "gelu", number>>;
}

/** The body of a kernel: GPU.js translates its source text. It returns one number, or two to four. */
// biome-ignore lint/suspicious/noExplicitAny: each kernel declares its own arguments; KernelSpec says what they are.
export type KernelFunction = (this: KernelThis, ...args: any[]) => number | readonly number[];

export interface KernelSettings {
  readonly output: readonly number[];
  readonly argumentTypes?: readonly string[];
  readonly returnType?: string;
  readonly constants?: Readonly<Record<string, number>>;
  readonly precision?: "single";
  readonly optimizeFloatMemory?: boolean;
  readonly tactic?: "precision";
  readonly pipeline?: boolean;
  readonly immutable?: boolean;
  readonly dynamicOutput?: boolean;
  readonly dynamicArguments?: boolean;
  readonly strictIntegers?: boolean;
  readonly loopMaxIterations?: number;
  readonly asyncMode?: boolean;
}

/** A kernel to call. Its result is a handle, a promise of one, or plain arrays, depending on the mode. */
export interface KernelShortcut {
  (...args: readonly unknown[]): unknown;
  setOutput(output: readonly number[]): unknown;
  destroy(): void;
  /** The kernel behind it, which GPU.js replaces when it falls back (src/kernel-run-shortcut.js). */
  readonly kernel: KernelInternals;
}

/** src/backend/kernel.js and src/backend/web-gpu/kernel.js */
export interface KernelInternals {
  /** Why GPU.js abandoned the requested mode; null if it did not. */
  readonly fallbackReason: string | null;
  readonly built: boolean;
  /** The WebGL modes and webgpu: null until a kernel was built. */
  readonly context: WebGl2Context | WebGpuContext | null;
  build(...args: readonly unknown[]): Promise<void> | undefined;
  run(...args: readonly unknown[]): unknown;
  /** webgpu: along three axes; decides how many groups are dispatched. */
  threadDim: readonly number[];
  /** webgpu: how many numbers a thread returns. */
  componentCount: number;
  /** webgpu: what the next run writes to. */
  outputBuffer: CountedBuffer | null;
  bindGroupDirty: boolean;
  /** webasm: its threads, started when they are first needed (src/backend/web-assembly/kernel.js). */
  _pool: WorkerPool | null;
}

/** src/backend/web-assembly/worker-pool.js */
export interface WorkerPool {
  destroy(): void;
}

/** src/backend/web-gpu/buffer-result.js counts on the buffer itself and destroys it at zero. */
export interface CountedBuffer extends WebGpuBuffer {
  _refs?: number;
}

/** A result that stays on the device (src/backend/web-gpu/buffer-result.js, src/texture.js). */
export interface ResultHandle {
  /** As an argument type: `"WebGPUBuffer"`, `"NumberTexture"`, … */
  readonly type: string;
  toArray(): unknown;
  delete(): void;
}

/** The handle of webgpu mode. */
export interface BufferResult extends ResultHandle {
  readonly buffer: CountedBuffer;
  readonly context: WebGpuContext;
}

export type BufferResultClass = new (fields: {
  readonly buffer: WebGpuBuffer;
  readonly output: readonly number[];
  readonly componentCount: number;
  readonly context: WebGpuContext;
  readonly kernel: KernelInternals | undefined;
}) => BufferResult;

/** src/backend/web-gpu/context.js: one device for all of a page or process. */
export interface WebGpuContext {
  readonly adapter: WebGpuAdapter;
  readonly device: WebGpuDevice;
  readonly isLost: boolean;
}

/** What createPipeline returns (src/gpu.js). */
export interface PipelineShortcut {
  readonly pipeline: Pipeline;
}

/** A recorded sequence of kernels (src/pipeline.js). */
export interface Pipeline {
  /** `"generic"`, or how GPU.js fused the kernels. */
  readonly executorKind: string;
  /** Why it did not. */
  readonly fallbackReason: string | null;
  plan: PipelinePlan | null;
  call(args: readonly unknown[]): Promise<unknown>;
  destroy(): Promise<void>;
  /** Calls the function to be recorded. */
  _buildPlan(): PipelinePlan;
  /** Copies a kernel that was called, for the pipeline alone. */
  _cloneKernel(shortcut: KernelShortcut, overrides?: unknown): KernelShortcut;
  /** Compiles for arguments of these sizes; otherwise the first call does. */
  _prepareExecutor(args: readonly unknown[]): Promise<void> | undefined;
  readonly _executor: { execute(args: readonly unknown[]): unknown } | false | undefined;
}

export interface PipelinePlan {
  readonly steps: PipelineStep[];
  readonly buffers: { readonly output: readonly number[] }[];
}

export interface PipelineStep {
  readonly argBindings: PipelineBinding[];
  readonly output: readonly number[];
  readonly outputBuffer: number | string;
}

/** Where an argument of a step comes from. */
export type PipelineBinding =
  | { readonly source: "pipelineArg"; readonly index: number }
  | { readonly source: "step" | "resident"; readonly step: number | string }
  | { readonly source: "literal"; readonly value: unknown };

/** GPU.js as the program hands it over, or loaded now. Throws {@link DeviceError} where it is not installed. */
export async function loadGpuJs(given?: object): Promise<GpuJs> {
  let module: { readonly default?: unknown };
  try {
    module = given ?? (await importOptional<object>("gpu.js"));
  } catch (cause) {
    const detail =
      "GPU.js could not be loaded; it is an optional peer: npm install gpu.js webgpu " +
      '(a bundled program hands it over: createGpuBackend({ gpuJs: await import("gpu.js") }))';
    throw new DeviceError("gpu", detail, { cause });
  }
  // CommonJS or a browser bundle: under `default`, or not, as the loader has it.
  const found = [module, module.default].find(isGpuJs);
  if (!found) throw new DeviceError("gpu", "the module gpu.js has no GPU class; version 2.24.1 or later 2.x is needed");
  return found;
}

function isGpuJs(module: unknown): module is GpuJs {
  return typeof (module as Partial<GpuJs> | undefined)?.GPU === "function";
}
