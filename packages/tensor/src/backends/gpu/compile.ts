import type { DataOf, DType } from "../../dtype.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { rowMajor } from "../../host-data.ts";
import { tidy } from "../../memory.ts";
import { showShape, sizeOf } from "../../shape.ts";
import { Tensor } from "../../tensor.ts";
import type { Shape } from "../../types/shape-types.ts";
import type { Storage, View } from "../backend.ts";
import { wholeView } from "../dispatch.ts";
import type { GpuBackend } from "./backend.ts";
import { FusedPipeline } from "./fused-pipeline.ts";
import type { GpuMode } from "./gpu-js.ts";
import { floats, fromFloats, type GpuStorage } from "./storage.ts";

/** Shape and element type of an argument of a compiled function. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The tensors that a function of these inputs takes. */
export type InputTensors<Specs extends readonly InputSpec[]> = {
  -readonly [I in keyof Specs]: Tensor<Specs[I]["shape"], Specs[I]["dtype"]>;
};

/** The data that it is called with, row-major. */
export type InputData<Specs extends readonly InputSpec[]> = {
  -readonly [I in keyof Specs]: DataOf[Specs[I]["dtype"]];
};

/** How a compiled function runs: in one submission, in one pass over WebAssembly memory, or kernel by kernel. */
export type ExecutorKind = "fused-encoder" | "fused-sync" | "fused-threaded" | "generic";

/** A function of tensors for fixed shapes. */
export interface CompiledFunction<Specs extends readonly InputSpec[], D extends DType> {
  readonly executorKind: ExecutorKind;
  /** Why it runs kernel by kernel; undefined when it does not. */
  readonly fallbackReason: string | undefined;
  /**
   * The result's elements, row-major. Rejects with DeviceError when the device fails, and with
   * {@link ShapeMismatchError} for data of another length than the input's.
   */
  run(...data: InputData<Specs>): Promise<DataOf[D]>;
  /** Gives its memory back. The tensors that the function captured stay as they are. */
  dispose(): void;
}

/**
 * Records what `fn` does to tensors of these shapes, once, as one pipeline of GPU.js: calling the result moves the data
 * in, runs all kernels in one submission, and reads the result back, once. What `fn` captures, such as weights, is
 * uploaded once and shared with the tensors outside; later changes of those are not seen. `fn` must be synchronous, and
 * may not read elements or write into tensors from outside.
 *
 *     const score = await compile(device, [{ shape: [1, 64], dtype: "int32" }], (ids) => model.forward(ids));
 *     const logits = await score.run(ids);
 *
 * In the modes that GPU.js does not fuse (WebGL and cpu) `fn` itself runs at each call; `executorKind` says so.
 *
 * @throws DeviceError if `fn` needs an op without a GPU kernel, or if GPU.js does not fuse it in a mode that can
 */
export async function compile<const Specs extends readonly InputSpec[], D extends DType>(
  device: GpuBackend,
  inputs: Specs,
  fn: (...tensors: InputTensors<Specs>) => Tensor<Shape, D>,
): Promise<CompiledFunction<Specs, D>> {
  const { launcher } = device;
  const { mode } = launcher.runtime;
  if (mode !== "webgpu" && mode !== "webasm") return new EagerFunction(device, inputs, fn, mode);
  let result: View<D> | undefined;
  const lengths = inputs.map(({ shape }) => sizeOf(shape));
  const pipeline = await FusedPipeline.record(launcher, lengths, (args) =>
    tidy(() => {
      const tensors = inputs.map(({ shape, dtype }, i) => {
        const storage = device.allocate(dtype, lengths[i]!);
        storage.put(args[i]!);
        return new Tensor(wholeView(storage, shape));
      });
      const { storage, dtype, shape, strides, offset } = fn(...(tensors as InputTensors<Specs>)).contiguous();
      result = { storage, dtype, shape, strides, offset };
      return (storage as Storage as GpuStorage).buffer;
    }),
  );
  return new FusedFunction(inputs, result!, pipeline);
}

class FusedFunction<Specs extends readonly InputSpec[], D extends DType> implements CompiledFunction<Specs, D> {
  readonly fallbackReason = undefined;
  readonly #inputs: Specs;
  /** Where in what the pipeline returns the result is. */
  readonly #result: View<D>;
  readonly #pipeline: FusedPipeline;

  constructor(inputs: Specs, result: View<D>, pipeline: FusedPipeline) {
    this.#inputs = inputs;
    this.#result = result;
    this.#pipeline = pipeline;
  }

  get executorKind(): ExecutorKind {
    return this.#pipeline.executorKind as ExecutorKind;
  }

  async run(...data: InputData<Specs>): Promise<DataOf[D]> {
    expectData(this.#inputs, data);
    const found = await this.#pipeline.run(data.map(floats));
    return rowMajor(fromFloats(this.#result.dtype, found), this.#result);
  }

  dispose(): void {
    this.#pipeline.dispose();
  }
}

class EagerFunction<Specs extends readonly InputSpec[], D extends DType> implements CompiledFunction<Specs, D> {
  readonly executorKind = "generic";
  readonly fallbackReason: string;
  readonly #device: GpuBackend;
  readonly #inputs: Specs;
  readonly #fn: (...tensors: InputTensors<Specs>) => Tensor<Shape, D>;

  constructor(
    device: GpuBackend,
    inputs: Specs,
    fn: (...tensors: InputTensors<Specs>) => Tensor<Shape, D>,
    mode: GpuMode,
  ) {
    this.#device = device;
    this.#inputs = inputs;
    this.#fn = fn;
    this.fallbackReason = `GPU.js fuses no kernels in mode ${mode}`;
  }

  async run(...data: InputData<Specs>): Promise<DataOf[D]> {
    expectData(this.#inputs, data);
    using result = tidy(() => {
      const tensors = this.#inputs.map(
        ({ shape, dtype }, i) => new Tensor(wholeView(this.#device.upload(dtype, data[i]!), shape)),
      );
      return this.#fn(...(tensors as InputTensors<Specs>));
    });
    return await result.data();
  }

  dispose(): void {}
}

function expectData(inputs: readonly InputSpec[], data: readonly DataOf[DType][]): void {
  for (const [i, { shape }] of inputs.entries()) {
    if (data[i]?.length !== sizeOf(shape)) {
      throw new ShapeMismatchError(
        "compile",
        `argument ${i} takes the ${sizeOf(shape)} elements of ${showShape(shape)}, got ${data[i]?.length ?? "none"}`,
      );
    }
  }
}
