import { DeviceBuffer } from "./device-buffer.ts";
import type { Gpu, KernelShortcut } from "./gpu-js.ts";
import type { KernelSpec } from "./kernel-spec.ts";
import type { ModeRuntime } from "./runtime.ts";

/** Compiled kernels that are kept; beyond that, those longest unused go. Each takes some 10 KB, in webasm its memory. */
const KEPT_KERNELS = 1024;

/** The kernels of GPU.js for the specs that were launched, one for each combination of constants. */
export class Programs {
  /** How many were compiled. */
  count = 0;
  readonly #gpu: Gpu;
  readonly #runtime: ModeRuntime;
  /** By {@link #key}, the longest unused first. */
  readonly #kernels = new Map<string, KernelShortcut>();
  readonly #bodies = new Map<KernelSpec["body"], number>();

  constructor(gpu: Gpu, runtime: ModeRuntime) {
    this.#gpu = gpu;
    this.#runtime = runtime;
  }

  /** The kernel to launch with these arguments on so many axes. */
  get(spec: KernelSpec, axes: number, args: readonly (DeviceBuffer | number)[]): KernelShortcut {
    const types = spec.arguments.map((kind, i) => {
      const arg = args[i];
      return arg instanceof DeviceBuffer
        ? this.#runtime.argumentType(arg.handle)
        : kind === "int"
          ? "Integer"
          : "Float";
    });
    const key = this.#key(spec, types);
    let kernel = this.#kernels.get(key);
    if (kernel) {
      this.#kernels.delete(key);
    } else {
      kernel = this.create(spec, new Array(axes).fill(1), types);
      const [oldest] = this.#kernels;
      if (oldest && this.#kernels.size >= KEPT_KERNELS) {
        this.#kernels.delete(oldest[0]);
        this.#runtime.destroy(oldest[1]);
      }
    }
    this.#kernels.set(key, kernel);
    return kernel;
  }

  /** A kernel that is not kept, with an output of this size to begin with. */
  create(spec: KernelSpec, output: readonly number[], argumentTypes: readonly string[]): KernelShortcut {
    const { body, components = 1, constants = {} } = spec;
    this.count++;
    return this.#gpu.createKernel(sourceOf(body), {
      ...this.#runtime.settings,
      output,
      argumentTypes,
      returnType: components === 1 ? "Float" : `Array(${components})`,
      constants,
      dynamicOutput: true,
      dynamicArguments: true,
      strictIntegers: true,
      loopMaxIterations: 1_000_000,
    });
  }

  dispose(): void {
    for (const kernel of this.#kernels.values()) this.#runtime.destroy(kernel);
    this.#kernels.clear();
  }

  #key({ body, constants = {} }: KernelSpec, types: readonly string[]): string {
    let id = this.#bodies.get(body);
    if (id === undefined) {
      id = this.#bodies.size;
      this.#bodies.set(body, id);
    }
    let key = `${id} ${types}`;
    for (const name in constants) key += ` ${constants[name]}`;
    return key;
  }
}

/** The text of a function as GPU.js wants it, which knows neither methods nor `this.constants["name"]`. */
function sourceOf(body: KernelSpec["body"]): string {
  const text = body.toString().replace(/\["(\w+)"\]/g, ".$1");
  return text.startsWith("function") ? text : `function ${text}`;
}
