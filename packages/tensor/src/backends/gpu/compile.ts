import type { DataOf, DType } from "../../dtype.ts";
import { ShapeMismatchError } from "../../errors.ts";
import { rowMajor } from "../../host-data.ts";
import { showShape, sizeOf } from "../../shape.ts";
import type { Backend, CompiledOps, Spec, View } from "../backend.ts";
import { wholeView } from "../dispatch.ts";
import { FusedPipeline } from "./fused-pipeline.ts";
import type { Launcher } from "./launcher.ts";
import { floats, fromFloats, type GpuStorage } from "./storage.ts";

type Body = (inputs: readonly View[]) => View;

/**
 * Records what `fn` does as one pipeline of GPU.js; in the modes that GPU.js does not fuse (WebGL and cpu) `fn` itself runs at
 * each call.
 */
export async function compileOps(
  device: Backend,
  launcher: Launcher,
  inputs: readonly Spec[],
  fn: Body,
): Promise<CompiledOps> {
  const { mode } = launcher.runtime;
  if (mode !== "webgpu" && mode !== "webasm") {
    return new EagerFunction(device, inputs, fn, `GPU.js fuses no kernels in mode ${mode}`);
  }
  let result: View | undefined;
  const lengths = inputs.map(({ shape }) => sizeOf(shape));
  const pipeline = await FusedPipeline.record(launcher, lengths, (args) => {
    const views = inputs.map(({ shape, dtype }, i) => {
      const storage = device.allocate(dtype, lengths[i]!) as GpuStorage;
      storage.put(args[i]!);
      return wholeView(storage, shape);
    });
    result = fn(views);
    const { buffer } = result.storage as GpuStorage;
    result.storage.release();
    return buffer;
  });
  return new FusedFunction(inputs, result!, pipeline);
}

class FusedFunction implements CompiledOps {
  readonly fallbackReason = undefined;
  readonly #inputs: readonly Spec[];
  /** Where in what the pipeline returns the result is. */
  readonly #result: View;
  readonly #pipeline: FusedPipeline;

  constructor(inputs: readonly Spec[], result: View, pipeline: FusedPipeline) {
    this.#inputs = inputs;
    this.#result = result;
    this.#pipeline = pipeline;
  }

  get executorKind(): string {
    return this.#pipeline.executorKind;
  }

  async run(...data: readonly DataOf[DType][]): Promise<DataOf[DType]> {
    expectData(this.#inputs, data);
    const found = await this.#pipeline.run(data.map(floats));
    return rowMajor(fromFloats(this.#result.dtype, found), this.#result);
  }

  dispose(): void {
    this.#pipeline.dispose();
  }
}

class EagerFunction implements CompiledOps {
  readonly executorKind = "generic";
  readonly fallbackReason: string;
  readonly #device: Backend;
  readonly #inputs: readonly Spec[];
  readonly #fn: Body;

  constructor(device: Backend, inputs: readonly Spec[], fn: Body, reason: string) {
    this.#device = device;
    this.#inputs = inputs;
    this.#fn = fn;
    this.fallbackReason = reason;
  }

  async run(...data: readonly DataOf[DType][]): Promise<DataOf[DType]> {
    expectData(this.#inputs, data);
    const result = this.#fn(
      this.#inputs.map(({ shape, dtype }, i) => wholeView(this.#device.upload(dtype, data[i]!), shape)),
    );
    try {
      return rowMajor(await this.#device.read(result.storage), result);
    } finally {
      result.storage.release();
    }
  }

  dispose(): void {}
}

function expectData(inputs: readonly Spec[], data: readonly DataOf[DType][]): void {
  for (const [i, { shape }] of inputs.entries()) {
    if (data[i]?.length !== sizeOf(shape)) {
      throw new ShapeMismatchError(
        "compile",
        `argument ${i} takes the ${sizeOf(shape)} elements of ${showShape(shape)}, got ${data[i]?.length ?? "none"}`,
      );
    }
  }
}
