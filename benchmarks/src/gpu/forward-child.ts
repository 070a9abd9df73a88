/** The process of one mode: runs a prompt through a model, kernel by kernel and as one compiled pass. */
import { forward, loadModel, logits, type Model, modelSource, type Tokens } from "@gpt2-ts/gpt2";
import { dim, fromData, type Tensor, tidy } from "@gpt2-ts/tensor";
import { type CompiledFunction, compile } from "@gpt2-ts/tensor/compile";
import { createGpuBackend, type GpuBackend, type GpuMode } from "@gpt2-ts/tensor/gpu";
import { serve } from "../harness/child.ts";
import { lowbias32 } from "../synthetic.ts";

export type Way = "kernel by kernel" | "compiled";

/** What one pass does. */
export interface PassCounts {
  readonly executor: string;
  readonly launches: number;
  readonly uploads: number;
  readonly readbacks: number;
  readonly submissions: number | undefined;
}

interface Ids {
  readonly shape: [Tokens];
  readonly dtype: "int32";
}

interface Opened {
  readonly device: GpuBackend;
  readonly model: Model;
  readonly ids: Int32Array;
  readonly compiled: CompiledFunction<[Ids], "float32">;
  readonly calls: WebGpuCalls | undefined;
}

let opened: Opened | undefined;

serve({
  /** Loads a model and compiles its pass over so many tokens. */
  async open(mode: GpuMode, folder: string, tokens: number): Promise<void> {
    const device = await createGpuBackend({ mode });
    const model = await loadModel(await modelSource(folder), { device });
    const ids = Int32Array.from({ length: tokens }, (_, i) => lowbias32(i) % model.config.vocabSize);
    const length = dim("T", tokens);
    const spec: Ids = { shape: [length], dtype: "int32" };
    const compiled = await compile(device, [spec], (ids) => pass(model, length, ids));
    opened = { device, model, ids, compiled, calls: mode === "webgpu" ? new WebGpuCalls(device) : undefined };
  },

  /** Milliseconds of one pass, from the ids to all logits in JavaScript. */
  async sample(way: Way): Promise<number> {
    const start = performance.now();
    await run(way);
    return performance.now() - start;
  },

  async counts(way: Way): Promise<PassCounts> {
    const { device, calls, compiled } = required();
    const before = { ...device.info(), ...calls?.counts };
    await run(way);
    const after = { ...device.info(), ...calls?.counts };
    return {
      executor: way === "compiled" ? compiled.executorKind : "",
      launches: after.launches - before.launches,
      uploads: after.uploads - before.uploads,
      readbacks: calls ? after.maps! - before.maps! : after.readbacks - before.readbacks,
      submissions: calls && after.submissions! - before.submissions!,
    };
  },

  /** The largest difference between the two ways' logits. */
  async difference(): Promise<number> {
    const [a, b] = [await run("kernel by kernel"), await run("compiled")];
    return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? Number.NaN))), 0);
  },
});

async function run(way: Way): Promise<Float32Array> {
  const { device, model, ids, compiled } = required();
  if (way === "compiled") return compiled.run(ids);
  const length = dim("T", ids.length);
  using scores = tidy(() => pass(model, length, fromData(ids, [length], { dtype: "int32", device })));
  return await scores.data();
}

/** ids [T] → logits [T, V] */
function pass(model: Model, length: Tokens, ids: Tensor<[Tokens], "int32">): Tensor<[number, number]> {
  const { device } = model.weights.wte;
  const positions = fromData(
    Int32Array.from({ length }, (_, i) => i),
    [length],
    { dtype: "int32", device },
  );
  const input: Parameters<typeof forward>[1] = {
    length,
    ids,
    positions,
    segments: () => [{ start: 0, length }],
    remember: () => {},
  };
  return logits(model, forward(model, input));
}

function required(): Opened {
  if (opened === undefined) throw new Error("asked for a pass before open()");
  return opened;
}

/** Counts what reaches WebGPU, whoever calls it. */
class WebGpuCalls {
  readonly counts = { submissions: 0, maps: 0 };

  constructor({ launcher }: GpuBackend) {
    const { device } = (launcher.runtime as unknown as { readonly context: { readonly device: GPUDevice } }).context;
    const { queue } = device;
    const submit = queue.submit.bind(queue);
    queue.submit = (buffers) => {
      this.counts.submissions++;
      return submit(buffers);
    };
    const probe = device.createBuffer({ size: 4, usage: 1 });
    const buffers = Object.getPrototypeOf(probe) as GPUBuffer;
    probe.destroy();
    const { counts } = this;
    const { mapAsync } = buffers;
    buffers.mapAsync = function (...args) {
      counts.maps++;
      return mapAsync.apply(this, args);
    };
  }
}
