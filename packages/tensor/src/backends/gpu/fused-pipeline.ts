import { DeviceError } from "../../errors.ts";
import { type DeviceBuffer, RecordedBuffer } from "./device-buffer.ts";
import type { BufferResult, Pipeline, PipelineBinding, PipelinePlan } from "./gpu-js.ts";
import { flat, type Result } from "./host-runtime.ts";
import type { Launcher } from "./launcher.ts";
import { PipelineRecorder } from "./recorder.ts";

/** Kernel calls recorded as a pipeline of GPU.js, in webgpu mode (one submission) or webasm (one memory). */
export class FusedPipeline {
  readonly #launcher: Launcher;
  readonly #recorder: PipelineRecorder;
  readonly #pipeline: Pipeline;
  readonly #lengths: readonly number[];
  #resultLength = 0;
  #steps = 0;
  /** Bytes that GPU.js holds for it, beside what it captured. */
  #bytes = 0;
  #disposed = false;

  /** @param lengths numbers of floats of the arguments */
  private constructor(
    launcher: Launcher,
    lengths: readonly number[],
    calls: (args: readonly RecordedBuffer[]) => DeviceBuffer,
  ) {
    this.#launcher = launcher;
    this.#lengths = lengths;
    this.#recorder = new PipelineRecorder(launcher);
    const orchestrate = (...handles: unknown[]): unknown => {
      const result = calls(handles.map((handle, i) => new RecordedBuffer(lengths[i]!, handle)));
      if (!(result instanceof RecordedBuffer)) {
        throw new DeviceError("gpu", "the result of a compiled function must depend on its arguments");
      }
      this.#resultLength = result.length;
      return result.handle;
    };
    Object.defineProperty(orchestrate, "length", { value: lengths.length }); // GPU.js asks for it
    this.#pipeline = launcher.gpu.createPipeline(orchestrate).pipeline;
  }

  /**
   * Records the kernels that `calls` launches for arguments of these many floats, and compiles them.
   * @throws DeviceError when they cannot be fused, or when something captured has no contents
   */
  static async record(
    launcher: Launcher,
    lengths: readonly number[],
    calls: (args: readonly RecordedBuffer[]) => DeviceBuffer,
  ): Promise<FusedPipeline> {
    const fused = new FusedPipeline(launcher, lengths, calls);
    try {
      await launcher.queue.do(() => fused.#trace());
      await launcher.queue.do(() => fused.#compile()); // after the uploads that recording asked for
    } catch (cause) {
      fused.dispose();
      throw launcher.error("compiling", cause);
    }
    return fused;
  }

  get executorKind(): string {
    return this.#pipeline.executorKind;
  }

  /** The result's floats, for as many floats as each argument takes. */
  async run(args: readonly Float32Array[]): Promise<Float32Array> {
    const { runtime, counts } = this.#launcher;
    try {
      return await this.#launcher.queue.do(async () => {
        if (this.#disposed) throw new Error("it was disposed");
        if (runtime.lost !== undefined) throw new Error(runtime.lost); // GPU.js would compile again on another device
        const result = await runtime.guarded(() => this.#pipeline.call(this.#inputs(args)));
        counts.launches += this.#steps;
        counts.uploads += args.length;
        counts.uploadedBytes += args.reduce((sum, { byteLength }) => sum + byteLength, 0);
        counts.readbacks++;
        counts.readBytes += this.#resultLength * 4;
        return flat(result as Result, this.#resultLength);
      });
    } catch (cause) {
      throw this.#launcher.error("a compiled function", cause);
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#launcher.pipelineBytes -= this.#bytes;
    void this.#launcher.queue.do(() => this.#pipeline.destroy());
    this.#recorder.dispose();
  }

  #trace(): void {
    const launcher = this.#launcher;
    const pipeline = this.#pipeline;
    if (typeof pipeline?._buildPlan !== "function" || typeof pipeline._cloneKernel !== "function") {
      throw new DeviceError("gpu", "this version of GPU.js records pipelines in another way; 2.24.1 is known to work");
    }
    const cloneKernel = pipeline._cloneKernel.bind(pipeline);
    pipeline._cloneKernel = (source, overrides) => {
      const clone = cloneKernel(source, overrides);
      this.#recorder.prepareClone(source, clone);
      return clone;
    };
    launcher.recorder = this.#recorder;
    try {
      pipeline.plan = pipeline._buildPlan();
    } finally {
      launcher.recorder = undefined;
    }
  }

  async #compile(): Promise<void> {
    const { runtime, allowFallback } = this.#launcher;
    const pipeline = this.#pipeline;
    const plan = pipeline.plan!;
    if (runtime.lost !== undefined) throw new Error(runtime.lost);
    this.#steps = plan.steps.length;
    this.#bytes = bytesOf(plan, [...this.#lengths, this.#resultLength]);
    this.#launcher.pipelineBytes += this.#bytes;
    for (const buffer of this.#recorder.captured) {
      await buffer.accepted;
      if (buffer.error) throw buffer.error;
    }
    if (runtime.mode === "webgpu") {
      this.#recorder.bindCaptured(plan, bindResident(plan));
    } else {
      this.#recorder.bindCaptured(plan, ({ handle, length }) => ({
        source: "literal",
        value: runtime.argument(handle, length),
      }));
    }
    const blank = this.#lengths.map((length) => new Float32Array(length));
    await runtime.guarded(async () => pipeline._prepareExecutor(this.#inputs(blank)));
    if (pipeline.fallbackReason !== null && !allowFallback) {
      throw new DeviceError(
        "gpu",
        `GPU.js did not fuse the kernels of a compiled function: ${pipeline.fallbackReason}`,
      );
    }
  }

  #inputs(args: readonly Float32Array[]): unknown[] {
    const { input } = this.#launcher.runtime.gpuJs;
    return args.map((data) => input(data, [data.length]));
  }
}

/**
 * webgpu: binds a buffer that is on the device already. GPU.js's pipelines capture data, of which each makes a copy on the device;
 * buffers they only take from their own steps. So a step is invented, under a name that their loops over the steps do not visit,
 * and its buffer is put among the plan's when those are made (src/backend/web-gpu/pipeline-executor.js, _compile).
 */
function bindResident(plan: PipelinePlan): (buffer: DeviceBuffer, index: number) => PipelineBinding {
  const buffers: Record<string, unknown> = {};
  Object.defineProperty(plan.buffers, "map", {
    value: (make: (record: unknown, index: number) => unknown) =>
      Object.assign(Array.prototype.map.call(plan.buffers, make), buffers),
  });
  return ({ handle, length }, index) => {
    const name = `resident${index}`;
    buffers[name] = { cells: length, buffer: (handle as BufferResult).buffer };
    Object.assign(plan.steps, { [name]: { argBindings: [], output: [length], outputBuffer: name } });
    return { source: "resident", step: name };
  };
}

/** Bytes of a plan's buffers, which several steps share where they can, and of arrays of these many floats. */
function bytesOf({ buffers }: PipelinePlan, lengths: readonly number[]): number {
  const sizes = buffers.map(({ output }) => output.reduce((product, size) => product * size, 1));
  return [...sizes, ...lengths].reduce((sum, length) => sum + length * 4, 0);
}
