import type { Backend, View } from "../backends/backend.ts";
import type { DataOf, DType } from "../dtype.ts";
import { DeviceError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { Tensor } from "../tensor.ts";
import type { Shape } from "../types/shape-types.ts";

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

/** A function of tensors for fixed shapes. */
export interface CompiledFunction<Specs extends readonly InputSpec[], D extends DType> {
  /** How it runs, in the device's own words: on `gpu` those of GPU.js, `"generic"` for kernel by kernel. */
  readonly executorKind: string;
  /** Why it runs kernel by kernel; undefined when it does not. */
  readonly fallbackReason: string | undefined;
  /**
   * The result's elements, row-major. Rejects with {@link DeviceError} when the device fails, and with ShapeMismatchError for
   * data of another length than the input's.
   */
  run(...data: InputData<Specs>): Promise<DataOf[D]>;
  /** Gives its memory back. The tensors that the function captured stay as they are. */
  dispose(): void;
}

/**
 * Records what `fn` does to tensors of these shapes, once: calling the result moves the data in, runs all kernels in one
 * submission, and reads the result back, once. What `fn` captures, such as weights, is uploaded once and shared with the
 * tensors outside; later changes of those are not seen. `fn` must be synchronous, and may not read elements or write into
 * tensors from outside.
 *
 *     const score = await compile(device, [{ shape: [1, 64], dtype: "int32" }], (ids) => model.forward(ids));
 *     const logits = await score.run(ids);
 *
 * Where the device cannot fuse kernels (GPU.js in the WebGL modes and cpu) `fn` itself runs at each call; `executorKind` says
 * so.
 *
 * @throws DeviceError if the device compiles nothing (`device.compile` is undefined), if `fn` needs an op without a kernel, or
 *   if GPU.js does not fuse it in a mode that can
 */
export async function compile<const Specs extends readonly InputSpec[], D extends DType>(
  device: Backend,
  inputs: Specs,
  fn: (...tensors: InputTensors<Specs>) => Tensor<Shape, D>,
): Promise<CompiledFunction<Specs, D>> {
  if (!device.compile)
    throw new DeviceError(device.name, "it compiles no functions: its operations gain nothing by it");
  const compiled = await device.compile(inputs, (views): View => {
    using result = tidy(() => {
      const tensors = views.map((view) => new Tensor(view));
      return fn(...(tensors as unknown[] as InputTensors<Specs>)).contiguous();
    });
    const { storage, dtype, shape, strides, offset } = result;
    storage.retain();
    return { storage, dtype, shape, strides, offset };
  });
  return compiled as unknown as CompiledFunction<Specs, D>;
}
