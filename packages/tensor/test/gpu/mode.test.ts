import { afterEach, describe, expect, it, vi } from "vitest";
import type { Gpu, GpuJs, GpuMode, Input } from "../../src/backends/gpu/gpu-js.ts";
import { gpuModes, measureModes, requireMode } from "../../src/backends/gpu/mode.ts";

/** How a mode of the GPU.js below behaves. */
interface Behaviour {
  /** What a product of two 128×128 matrices takes on the clock below; of larger ones, eight times that for each doubling. */
  readonly milliseconds: number;
  /** What it takes for large matrices, if it is not that. */
  readonly large?: number;
  readonly wrong?: boolean;
  readonly fallbackReason?: string;
  readonly throws?: string;
  readonly throwsFrom?: number;
}

/** A GPU.js whose modes take as long as they are told to, on a clock that nothing else moves. */
function fakeGpuJs(behaviours: Partial<Record<GpuMode, Behaviour>>) {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const webgpu = behaviours.webgpu && {
    gpu: { requestAdapter: async () => ({ info: { vendor: "acme", architecture: "gpu1" } }) },
  };
  vi.stubGlobal("navigator", webgpu ?? { gpu: { requestAdapter: async () => null } });
  const log = { open: 0, products: new Map<GpuMode, number[]>() };
  class GPU {
    static readonly isWebGL2Supported = behaviours.webgl2 !== undefined;
    static readonly isHeadlessGLSupported = behaviours.headlessgl !== undefined;
    static readonly isWebAssemblySupported = behaviours.webasm !== undefined;
    readonly #mode: GpuMode;
    constructor({ mode }: { mode: GpuMode }) {
      this.#mode = mode;
      log.open++;
    }
    createKernel() {
      const { milliseconds, large, wrong, fallbackReason = null, throws, throwsFrom } = behaviours[this.#mode]!;
      const product = async (a: Input, b: Input, size: number): Promise<Float32Array> => {
        if (throws) throw new Error(throws);
        if (size >= (throwsFrom ?? Number.POSITIVE_INFINITY)) throw new Error("too large");
        log.products.set(this.#mode, [...(log.products.get(this.#mode) ?? []), size]);
        now += size > 128 && large !== undefined ? large : milliseconds * (size / 128) ** 3;
        const result = multiply(a.value, b.value, size);
        if (wrong) result[result.length - 1]! += 1;
        return result;
      };
      return Object.assign(product, { kernel: { fallbackReason } });
    }
    async destroy(): Promise<void> {
      log.open--;
    }
  }
  const gpuJs = { GPU, input: (value: Float32Array, size: readonly number[]) => ({ value, size }) };
  return { gpuJs: gpuJs as unknown as GpuJs & { GPU: new () => Gpu }, log };
}

function multiply(a: Float32Array, b: Float32Array, size: number): Float32Array {
  const result = new Float32Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < size; k++) {
      const left = a[row * size + k]!;
      for (let column = 0; column < size; column++) result[row * size + column]! += left * b[k * size + column]!;
    }
  }
  return result;
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const answers = (trials: readonly { mode: GpuMode; answer: string }[]): Record<string, string> =>
  Object.fromEntries(trials.map(({ mode, answer }) => [mode, answer]));

describe("the mode that is chosen", () => {
  it("is the fastest of those that work, on the large matrices", async () => {
    const { gpuJs, log } = fakeGpuJs({
      webgpu: { milliseconds: 2, large: 3 },
      webasm: { milliseconds: 1 },
      cpu: { milliseconds: 5 },
    });
    const { mode, trials } = await measureModes(gpuJs);
    expect(mode).toBe("webgpu");
    expect(trials.map((trial) => trial.mode)).toEqual(gpuModes);
    expect(answers(trials)).toMatchObject({
      webgpu: "on acme gpu1, it multiplies 256×256 matrices in 3.0 ms",
      webasm: "multiplies 256×256 matrices in 8.0 ms",
      cpu: "multiplies 128×128 matrices in 5.0 ms",
    });
    expect(log.open).toBe(0);
  });

  it("is an earlier one when a later one is hardly faster", async () => {
    const { gpuJs } = fakeGpuJs({
      webgpu: { milliseconds: 1.2 },
      webasm: { milliseconds: 1 },
      cpu: { milliseconds: 9 },
    });
    expect((await measureModes(gpuJs)).mode).toBe("webgpu");
  });

  it("is not one that is far slower than the others, which is not even asked for the large matrices", async () => {
    const { gpuJs, log } = fakeGpuJs({
      webgpu: { milliseconds: 50 },
      webasm: { milliseconds: 4 },
      cpu: { milliseconds: 8 },
    });
    expect((await measureModes(gpuJs)).mode).toBe("webasm");
    expect(new Set(log.products.get("webgpu"))).toEqual(new Set([128]));
    expect(new Set(log.products.get("webasm"))).toEqual(new Set([128, 256]));
  });

  it.each([
    ["computes wrongly", { milliseconds: 0.1, wrong: true }, "it multiplies matrices wrongly"],
    [
      "was moved to the CPU",
      { milliseconds: 0.1, fallbackReason: "no textures" },
      "GPU.js fell back to the CPU: no textures",
    ],
    ["throws", { milliseconds: 0.1, throws: "shader error" }, "shader error"],
  ] as const)("is not one that %s, which is told", async (_, behaviour, answer) => {
    const { gpuJs, log } = fakeGpuJs({ webgpu: behaviour, cpu: { milliseconds: 5 } });
    const { mode, trials } = await measureModes(gpuJs);
    expect(mode).toBe("cpu");
    expect(answers(trials)["webgpu"]).toBe(answer);
    expect(log.open).toBe(0);
  });

  it("is not headlessgl, whose drivers may never answer, unless it is asked for", async () => {
    const { gpuJs, log } = fakeGpuJs({ headlessgl: { milliseconds: 1 }, cpu: { milliseconds: 50 } });
    const { mode, trials } = await measureModes(gpuJs);
    expect(mode).toBe("cpu");
    expect(answers(trials)["headlessgl"]).toContain("only when asked for");
    expect(log.products.has("headlessgl")).toBe(false);
    await expect(requireMode(gpuJs, "headlessgl")).resolves.toBeUndefined();
  });

  it("is not one that fails on the large matrices", async () => {
    const { gpuJs } = fakeGpuJs({ webgpu: { milliseconds: 1, throwsFrom: 256 }, cpu: { milliseconds: 3 } });
    const { mode, trials } = await measureModes(gpuJs);
    expect(mode).toBe("cpu");
    expect(answers(trials)["webgpu"]).toBe("too large");
  });

  it("comes with the reason why each other one is not there", async () => {
    const { gpuJs } = fakeGpuJs({ cpu: { milliseconds: 5 } });
    const { mode, trials } = await measureModes(gpuJs);
    expect(mode).toBe("cpu");
    expect(answers(trials)).toMatchObject({
      webgpu: expect.stringContaining("WebGPU found no adapter"),
      webgl2: expect.stringContaining("for browsers"),
      webasm: expect.stringContaining("WebAssembly with SIMD"),
      cpu: "multiplies 128×128 matrices in 5.0 ms",
    });
  });

  it("is none, with all the reasons in one error, where nothing works", async () => {
    const { gpuJs } = fakeGpuJs({ cpu: { milliseconds: 1, throws: "eval is forbidden here" } });
    await expect(measureModes(gpuJs)).rejects.toThrow(
      /no mode works here \(webgpu: .*; cpu: eval is forbidden here\)$/,
    );
  });
});

describe("a mode that is asked for and is not there is an error that says what it takes", () => {
  it.each([
    ["webgpu", /WebGPU found no adapter; .*libvulkan1/],
    ["webgl2", /in Node there are webgpu and headlessgl/],
    ["webasm", /needs WebAssembly with SIMD/],
    ["opencl", /there is no mode "opencl"; there are auto, webgpu, webgl2, headlessgl, webasm, cpu/],
  ])("%s", async (mode, message) => {
    const { gpuJs } = fakeGpuJs({});
    await expect(requireMode(gpuJs, mode as GpuMode)).rejects.toThrow(message);
  });
});
