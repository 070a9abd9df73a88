import { DeviceError } from "../../errors.ts";
import { type AdapterDescription, adapterName, importOptional, isNode, provideWebGpu } from "./adapter.ts";
import type { Gpu, GpuJs, GpuMode, KernelThis } from "./gpu-js.ts";

/** All modes, those that are probably fastest first. */
export const gpuModes: readonly GpuMode[] = ["webgpu", "webgl2", "headlessgl", "webasm", "cpu"];

/** The outcome of trying a mode. */
export interface ModeTrial {
  readonly mode: GpuMode;
  /** How fast it is, or why it does not work here. */
  readonly answer: string;
}

/** What `mode: "auto"` decided on. */
export interface ModeChoice {
  readonly mode: GpuMode;
  /** The outcome for each mode, in the order they were tried. */
  readonly trials: readonly ModeTrial[];
}

interface Candidate {
  readonly mode: GpuMode;
  gpu: Gpu | undefined;
  /** For a GPU that has a name. */
  where: string;
  /** Of the latest test product, its fastest run. */
  milliseconds: number;
}

/** Sizes of the square matrices that modes are measured with: all modes on the first, the fast ones on the second. */
const SMALL = 128;
const LARGE = 256;
const RUNS = 3;
const CHECKED_ROWS = 9;
/** A mode this many times slower than another on the small product is not tried on the large one. */
const MUCH_SLOWER = 4;
/** How much faster a mode must be than one before it in {@link gpuModes}, because the measurement is short. */
const CLEARLY_FASTER = 1.3;

/**
 * With gl 8.1.6 on Mesa 22.3's software driver, LLVM's analysis of the loops in the attention's shader does not end, in a call that
 * nothing can interrupt. The kernel that modes are measured with does not show it.
 */
const HEADLESSGL_BY_ITSELF = "it is there, and is used only when asked for: some drivers do not finish compiling";

let choice: Promise<ModeChoice> | undefined;

/**
 * The fastest mode that works here. Each multiplies two matrices, from upload to readback, and must get the right numbers. This
 * takes about a second; the answer is kept as long as the process or page lives.
 *
 * @throws DeviceError if no mode works
 */
export function chooseMode(gpuJs: GpuJs): Promise<ModeChoice> {
  choice ??= measureModes(gpuJs).catch((error) => {
    choice = undefined;
    throw error;
  });
  return choice;
}

/**
 * Makes sure that a mode can be used: for `webgpu`, that `navigator.gpu` exists and has an adapter.
 *
 * @returns the adapter, in mode `webgpu`
 * @throws DeviceError that says what is missing and how to get it
 */
export async function requireMode({ GPU }: GpuJs, mode: GpuMode): Promise<AdapterDescription | undefined> {
  switch (mode) {
    case "webgpu":
      return await provideWebGpu();
    case "webgl2":
      if (GPU.isWebGL2Supported) return undefined;
      throw new DeviceError(
        "gpu",
        isNode()
          ? "mode webgl2 is for browsers; in Node there are webgpu and headlessgl"
          : "this browser gives no WebGL2 context: hardware acceleration may be off, or this GPU blocked; see " +
              "chrome://gpu or about:support",
      );
    case "headlessgl":
      if (GPU.isHeadlessGLSupported) return undefined;
      throw new DeviceError(
        "gpu",
        isNode() ? await headlessAdvice() : "mode headlessgl is for Node; here there is webgl2",
      );
    case "webasm":
      if (GPU.isWebAssemblySupported) return undefined;
      throw new DeviceError("gpu", "mode webasm needs WebAssembly with SIMD, which this engine lacks");
    case "cpu":
      return undefined;
    default:
      throw new DeviceError("gpu", `there is no mode ${JSON.stringify(mode)}; there are auto, ${gpuModes.join(", ")}`);
  }
}

async function headlessAdvice(): Promise<string> {
  try {
    await importOptional("gl");
  } catch {
    return (
      "mode headlessgl needs the package gl: npm install gl, which builds it where there is no binary for this platform " +
      "(a C++ compiler, Python, and on Linux libxi-dev, libglu1-mesa-dev, libglew-dev)"
    );
  }
  return "the package gl gives no context: on Linux it needs an X server, be it a virtual one (xvfb-run)";
}

/** {@link chooseMode} without keeping the answer. */
export async function measureModes(gpuJs: GpuJs): Promise<ModeChoice> {
  const answers = new Map<GpuMode, string>();
  const opened: Gpu[] = [];
  /** Measures some modes; returns those that work, and records the outcome of each. */
  const measure = async (modes: readonly Candidate[], size: number): Promise<Candidate[]> => {
    const working: Candidate[] = [];
    for (const each of modes) {
      try {
        if (!each.gpu) {
          const adapter = await requireMode(gpuJs, each.mode);
          if (each.mode === "headlessgl") throw new Error(HEADLESSGL_BY_ITSELF);
          each.where = adapter ? `on ${adapterName(adapter)}, it ` : "";
          each.gpu = new gpuJs.GPU({ mode: each.mode });
          opened.push(each.gpu);
        }
        each.milliseconds = await timeProduct(gpuJs, each.gpu, size);
        const time = each.milliseconds.toFixed(each.milliseconds < 10 ? 1 : 0);
        answers.set(each.mode, `${each.where}multiplies ${size}×${size} matrices in ${time} ms`);
        working.push(each);
      } catch (error) {
        answers.set(each.mode, (error as Error).message.replace(/^gpu: /, ""));
      }
    }
    return working;
  };
  let candidates: Candidate[];
  try {
    candidates = await measure(
      gpuModes.map((mode) => ({ mode, gpu: undefined, where: "", milliseconds: 0 })),
      SMALL,
    );
    const fastest = Math.min(...candidates.map(({ milliseconds }) => milliseconds));
    const fast = candidates.filter(({ milliseconds }) => milliseconds <= MUCH_SLOWER * fastest);
    if (fast.length > 1) candidates = await measure(fast, LARGE);
    else candidates = fast;
  } finally {
    for (const gpu of opened) await gpu.destroy();
  }
  const trials = gpuModes.map((mode) => ({ mode, answer: answers.get(mode)! }));
  let chosen = candidates[0];
  for (const each of candidates) if (each.milliseconds * CLEARLY_FASTER < chosen!.milliseconds) chosen = each;
  if (chosen) return { mode: chosen.mode, trials };
  throw new DeviceError(
    "gpu",
    `no mode works here (${trials.map(({ mode, answer }) => `${mode}: ${answer}`).join("; ")})`,
  );
}

/**
 * The fastest of some products of two square matrices, in milliseconds, upload and readback included. The first, which
 * compiles the kernel, does not count.
 *
 * @throws Error if GPU.js ran it elsewhere, or if the numbers are wrong
 */
async function timeProduct({ input }: GpuJs, gpu: Gpu, size: number): Promise<number> {
  const product = gpu.createKernel(multiply, {
    output: [size * size],
    argumentTypes: ["Input", "Input", "Integer"],
    returnType: "Float",
    constants: {},
    pipeline: false,
    immutable: false,
    dynamicOutput: false, // GPU.js 2.24.1 in mode headlessgl: from 128² to 256² the result keeps its old size
    dynamicArguments: false,
    strictIntegers: true,
    loopMaxIterations: size,
    precision: "single",
  });
  // Whole numbers, small enough for every sum to be exact in float32.
  const a = Float32Array.from({ length: size * size }, (_, i) => ((i * 7) % 13) - 6);
  const b = Float32Array.from({ length: size * size }, (_, i) => ((i * 5) % 11) - 5);
  const shape = [size * size];
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run <= RUNS; run++) {
    const began = performance.now();
    const result = (await product(input(a, shape), input(b, shape), size)) as Float32Array;
    if (run > 0) fastest = Math.min(fastest, performance.now() - began);
    const { fallbackReason } = product.kernel;
    if (fallbackReason !== null) throw new Error(`GPU.js fell back to the CPU: ${fallbackReason}`);
    if (run === 0 && !isProduct(result, a, b, size)) throw new Error("it multiplies matrices wrongly");
  }
  return fastest;
}

/** Checks {@link CHECKED_ROWS} rows, the first and the last among them. */
function isProduct(result: Float32Array, a: Float32Array, b: Float32Array, size: number): boolean {
  if (result.length !== size * size) return false;
  for (let i = 0; i < CHECKED_ROWS; i++) {
    const row = Math.round((i / (CHECKED_ROWS - 1)) * (size - 1));
    for (let column = 0; column < size; column++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += a[row * size + k]! * b[k * size + column]!;
      if (result[row * size + column] !== sum) return false;
    }
  }
  return true;
}

/** The kernel: one number of the product a b for each thread. */
function multiply(this: KernelThis, a: Float32Array, b: Float32Array, size: number): number {
  const row = Math.floor(this.thread.x / size);
  const column = this.thread.x - row * size;
  let sum = 0;
  for (let k = 0; k < size; k++) sum += a[row * size + k]! * b[k * size + column]!;
  return sum;
}
