import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createGpuBackend, type GpuBackend } from "../../src/backends/gpu/index.ts";
import type { WebGpuRuntime } from "../../src/backends/gpu/webgpu-runtime.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { compile } from "../../src/functional/compile.ts";
import {
  type AnyTensor,
  attention,
  DeviceError,
  embedding,
  Generator,
  layerNorm,
  linear,
  randn,
  ShapeMismatchError,
  sort,
  startObserving,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from "../../src/index.ts";
import { describeOnGpu, gpuBackend } from "./modes.ts";

// GPT-2 with two small blocks, as packages/gpt2/src/model.ts has it, up to the log-probabilities of given tokens.
const [V, C, H, F, T] = [67, 16, 2, 44, 8] as const;
const D = C / H;
const BLOCKS = 2;

/** float32 against float64 through some forty sums of up to 44 terms: 2⁻²⁴ · √44 · 40 ≈ 1.6·10⁻⁵, and twice that to spare. */
const TOLERANCE = 5e-5;

function model(device: Backend) {
  const generator = new Generator(3);
  const weights: AnyTensor[] = [];
  const weight = <const S extends readonly number[]>(shape: S, size: number): Tensor<S> => {
    const made = tidy(() => randn(shape, { seed: generator, device }).mul(size));
    weights.push(made as AnyTensor);
    return made as AnyTensor as Tensor<S>;
  };
  const norm = () => ({ gain: weight([C], 1), shift: weight([C], 0.1) });
  const wte = weight([V, C], 1);
  const lnF = norm();
  const blocks = Array.from({ length: BLOCKS }, () => ({
    ln1: norm(),
    ln2: norm(),
    qkv: weight([C, 3 * C], 0.25),
    proj: weight([C, C], 0.25),
    fc: weight([C, F], 0.25),
    bias: weight([F], 0.1),
    out: weight([F, C], 0.15),
  }));
  const score = (ids: Tensor<readonly [number], "int32">, targets: Tensor<readonly [number], "int32">) => {
    let x: Tensor = embedding(wte as AnyTensor as Tensor<[67, 16]>, ids);
    for (const { ln1, ln2, qkv, proj, fc, bias, out } of blocks) {
      const parts = linear(layerNorm(x, ln1.gain, ln1.shift, 1e-5), qkv).split([C, C, C], -1);
      const [q, k, v] = parts.map((part) => part.reshape([T, H, D])) as Tensor<[8, 2, 8]>[];
      // Through a buffer, as a cache is: written in place, then read.
      const keys = zeros([2 * T, H, D], { device });
      keys.slice(0, T, 2 * T).copy_(k!);
      const y = attention(q!, keys.slice(0, T, 2 * T) as AnyTensor as Tensor<[8, 2, 8]>, v!);
      x = x.add(linear(y.reshape([T, C]), proj) as Tensor) as Tensor;
      const hidden = linear(layerNorm(x, ln2.gain, ln2.shift, 1e-5), fc, bias, { activation: "gelu" });
      x = x.add(linear(hidden, out) as Tensor) as Tensor;
    }
    const logits = layerNorm(x, lnF.gain, lnF.shift, 1e-5).matmul(wte.transpose() as Tensor) as Tensor;
    return logits.logSoftmax(-1).gather(1, targets.unsqueeze(1) as AnyTensor as Tensor<[8, 1], "int32">);
  };
  return { score, weights };
}

const inputs = [
  { shape: [T], dtype: "int32" },
  { shape: [T], dtype: "int32" },
] as const;
const batches = [
  [Int32Array.of(1, 5, 66, 0, 7, 7, 31, 12), Int32Array.of(5, 66, 0, 7, 7, 31, 12, 2)],
  [Int32Array.of(9, 8, 7, 6, 5, 4, 3, 2), Int32Array.of(8, 7, 6, 5, 4, 3, 2, 1)],
] as const;

const onReference = model(referenceBackend);
const expected = await Promise.all(
  batches.map(([ids, targets]) =>
    onReference
      .score(
        tensor(ids, { dtype: "int32", device: referenceBackend }) as never,
        tensor(targets, { dtype: "int32", device: referenceBackend }) as never,
      )
      .data(),
  ),
);

function expectClose(actual: Float32Array, wanted: Float32Array): void {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(TOLERANCE);
}

const kinds: Readonly<Record<string, RegExp>> = { webgpu: /^fused-encoder$/, webasm: /^fused-/, cpu: /^generic$/ };

await describeOnGpu("a compiled model", (device) => {
  test("is seen while it is compiled where it is recorded, at every call where it is not, and has no times", async () => {
    const { score } = model(device);
    const seen: string[] = [];
    const times: unknown[] = [];
    const stop = startObserving({
      after({ op }, _, milliseconds) {
        seen.push(op.name);
        times.push(milliseconds);
      },
    });
    onTestFinished(stop);
    const compiled = await compile(device, inputs, score);
    onTestFinished(() => compiled.dispose());
    const whileCompiled = seen.length;
    await compiled.run(...batches[0]);
    expect(seen.filter((name) => name === "attention")).toHaveLength(BLOCKS);
    expect(whileCompiled).toBe(compiled.fallbackReason === undefined ? seen.length : 0);
    expect(new Set(times)).toEqual(new Set([undefined]));
  });

  test("gives what the reference gives, at every call, also when calls overlap", async () => {
    const { score } = model(device);
    device.fallbacks.clear();
    const compiled = await compile(device, inputs, score);
    onTestFinished(() => compiled.dispose());
    expect(compiled.executorKind).toMatch(kinds[device.info().mode]!);
    for (const [i, batch] of batches.entries()) expectClose(await compiled.run(...batch), expected[i]!);
    const results = await Promise.all(batches.map((batch) => compiled.run(...batch)));
    for (const [i, result] of results.entries()) expectClose(result, expected[i]!);
    expect(device.fallbacks.entries()).toEqual([]);
  });

  test("holds on to the weights, which it shares with the tensors outside, until it is disposed", async () => {
    const own = await createGpuBackend({ mode: device.info().mode });
    const { score, weights } = model(own);
    const compiled = await compile(own, inputs, score);
    for (const weight of weights) weight.dispose();
    const overwriting = tidy(() => randn([V, C], { seed: 1, device: own }).mul(100)); // takes memory that is free
    await overwriting.data();
    if (compiled.executorKind !== "generic") expectClose(await compiled.run(...batches[0]), expected[0]!);
    compiled.dispose();
    expect(own.info().usedBytes).toBe(overwriting.size * 4);
  });

  test("takes data of its inputs' sizes only", async () => {
    const compiled = await compile(device, [{ shape: [2, 3], dtype: "float32" }], (x) => x.add(x));
    onTestFinished(() => compiled.dispose());
    const error = await compiled.run(new Float32Array(5)).catch((reason) => reason);
    expect(error).toBeInstanceOf(ShapeMismatchError);
    expect(error.message).toBe("compile: argument 0 takes the 6 elements of [2, 3], got 5");
  });

  test("may return any view, of any element type", async () => {
    const input = { shape: [2, 3], dtype: "float32" } as const;
    const data = Float32Array.of(3, 1, 2, 6, 5, 4);
    for (const [fn, wanted] of [
      [(x: Tensor<readonly [2, 3]>) => x.neg().transpose(), Float32Array.of(-3, -6, -1, -5, -2, -4)],
      [(x: Tensor<readonly [2, 3]>) => x.mul(2).select(0, 1).slice(0, 1), Float32Array.of(10, 8)],
      [(x: Tensor<readonly [2, 3]>) => x.gt(3), Uint8Array.of(0, 0, 0, 1, 1, 1)],
      [(x: Tensor<readonly [2, 3]>) => x.argMax(1), Int32Array.of(0, 0)],
    ] as const) {
      const compiled = await compile(device, [input], fn as (x: Tensor<readonly [2, 3]>) => Tensor);
      expect(await compiled.run(data)).toEqual(wanted);
      compiled.dispose();
    }
  });
});

const fused = ["webgpu", "webasm"] as const;
await describeOnGpu(
  "compile",
  (device) => {
    const input = { shape: [4], dtype: "float32" } as const;
    const refusal = async (fn: (x: Tensor<readonly [4]>) => Tensor): Promise<Error> => {
      const error = await compile(device, [input], fn).catch((reason) => reason);
      expect(error).toBeInstanceOf(Error);
      return error;
    };

    test("names an op that has no GPU kernel, and does not run it on the CPU", async () => {
      device.fallbacks.clear();
      const error = await refusal((x) => sort(x.add(x), 0).values as Tensor);
      expect(error).toBeInstanceOf(DeviceError);
      expect(error.message).toMatch(/^gpu: sort cannot be recorded.*no GPU kernel/);
      expect(device.fallbacks.entries()).toEqual([]);
    });

    test("says so when a function writes into a tensor from outside, which stays as it was", async () => {
      const outside = tensor([1, 2, 3, 4], { device }) as Tensor<[4]>;
      const error = await refusal((x) => outside.copy_(x as AnyTensor as Tensor<[4]>) as AnyTensor as Tensor);
      expect(error.message).toMatch(/^gpu: .*writes into a tensor from outside/);
      expect(await outside.toList()).toEqual([1, 2, 3, 4]);
    });

    test("says so when the result does not depend on the arguments", async () => {
      const outside = tensor([1, 2, 3, 4], { device });
      const error = await refusal(() => outside.add(outside) as Tensor);
      expect(error.message).toMatch(/^gpu: .*depend on its arguments/);
    });

    test("says so when the function asks for elements, and passes on what it throws", async () => {
      const reading = await refusal((x) => tensor(x.dataSync(), { device }) as Tensor);
      expect(reading.message).toContain("await data()");
      const own = new Error("own");
      expect(
        await refusal(() => {
          throw own;
        }),
      ).toMatchObject({ cause: own });
    });

    test("fails when something it captures has no contents, and names why", async () => {
      const weight = tensor([1, 2, 3, 4], { device }) as Tensor<[4]>;
      weight.dispose();
      await refusal((x) => x.add(weight as AnyTensor as Tensor) as Tensor);
    });

    test("leaves eager tensors alone that are computed meanwhile", async () => {
      const weight = randn([4], { seed: 1, device });
      const compiling = compile(device, [input], (x) => x.mul(weight as AnyTensor as Tensor).sqrt() as Tensor);
      const eager = weight.add(1).square().data();
      const compiled = await compiling;
      onTestFinished(() => compiled.dispose());
      const running = compiled.run(Float32Array.of(0, 0, 0, 0));
      const later = weight.sub(weight).data();
      const values = await weight.data();
      expect([...(await eager)]).toEqual([...values].map((x) => expect.closeTo((x + 1) ** 2, 5)));
      expect(await later).toEqual(new Float32Array(4));
      expect([...(await running)].map(Math.abs)).toEqual([0, 0, 0, 0]);
    });
  },
  fused,
);

const webgpu = await gpuBackend("webgpu");
describe.skipIf(!webgpu)("a compiled model (gpu, webgpu)", () => {
  test("makes one submission and one readback per call, and uploads its arguments alone", async () => {
    const device = webgpu as GpuBackend;
    const { score } = model(device);
    const compiled = await compile(device, inputs, score);
    onTestFinished(() => compiled.dispose());
    const gpuDevice = (device.launcher.runtime as WebGpuRuntime).context.device;
    const submit = vi.spyOn(gpuDevice.queue, "submit");
    const writeBuffer = vi.spyOn(gpuDevice.queue, "writeBuffer");
    const createBuffer = vi.spyOn(gpuDevice, "createBuffer");
    const buffers = Object.getPrototypeOf(gpuDevice.createBuffer({ size: 4, usage: 8 })) as GPUBuffer;
    const mapAsync = vi.spyOn(buffers, "mapAsync");
    createBuffer.mockClear();
    onTestFinished(() => {
      for (const spy of [submit, writeBuffer, createBuffer, mapAsync]) spy.mockRestore();
    });
    const before = device.info();
    expectClose(await compiled.run(...batches[0]), expected[0]!);
    expect(submit).toHaveBeenCalledTimes(1);
    expect(mapAsync).toHaveBeenCalledTimes(1);
    expect(writeBuffer).toHaveBeenCalledTimes(2);
    expect(createBuffer).not.toHaveBeenCalled();
    const { uploads, uploadedBytes, readbacks, readBytes } = device.info();
    expect([uploads - before.uploads, uploadedBytes - before.uploadedBytes]).toEqual([2, 2 * T * 4]);
    expect([readbacks - before.readbacks, readBytes - before.readBytes]).toEqual([1, T * 4]);
    // The same kernels one by one: a submission each, which shows that the spies see them.
    await score(
      tensor(batches[0][0], { dtype: "int32", device }) as never,
      tensor(batches[0][1], { dtype: "int32", device }) as never,
    ).data();
    expect(submit.mock.calls.length).toBeGreaterThan(20);
  });

  test("copies no weight a second time on the device, however often it is compiled", async () => {
    const device = webgpu as GpuBackend;
    const { score, weights } = model(device);
    (await compile(device, inputs, score)).dispose();
    const { uploads, usedBytes } = device.info();
    const gpuDevice = (device.launcher.runtime as WebGpuRuntime).context.device;
    const createBuffer = vi.spyOn(gpuDevice, "createBuffer");
    onTestFinished(() => createBuffer.mockRestore());
    const compiled = await compile(device, inputs, score);
    onTestFinished(() => compiled.dispose());
    expect(createBuffer.mock.calls.length).toBeGreaterThan(0);
    const largest = Math.max(...weights.map(({ size }) => size * 4));
    expect(largest).toBe(V * C * 4);
    for (const [{ size, mappedAtCreation }] of createBuffer.mock.calls) {
      expect(mappedAtCreation ?? false).toBe(false);
      expect(size).not.toBe(largest);
    }
    expect(device.info().uploads - uploads).toBeLessThanOrEqual(2 * BLOCKS); // the buffers of zeros
    expect(device.info().usedBytes - usedBytes).toBeLessThanOrEqual(2 * BLOCKS * 2 * T * C * 4);
  });
});
