import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createGpuBackend, type GpuBackend } from "../../src/backends/gpu/index.ts";
import type { KernelSpec } from "../../src/backends/gpu/kernel-spec.ts";
import type { GpuStorage } from "../../src/backends/gpu/storage.ts";
import type { WebGpuRuntime } from "../../src/backends/gpu/webgpu-runtime.ts";
import { compile } from "../../src/functional/compile.ts";
import { type AnyTensor, DeviceError, full, type Tensor, tensor, tidy } from "../../src/index.ts";
import { describeOnGpu, gpuBackend } from "./modes.ts";

const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};
beforeEach(() => {
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

/** A tensor of what a kernel gives for another. */
function launched(device: GpuBackend, spec: KernelSpec, x: Tensor<[number]>): Tensor<[number]> {
  const result = full([x.size], 0, { device });
  (result.storage as GpuStorage).put(device.launcher.launch(spec, x.size, [(x.storage as GpuStorage).buffer]));
  return result;
}

/** The error that reading a tensor rejects with, which has to be one of the device's. */
async function errorOf(reading: Promise<unknown>): Promise<DeviceError> {
  const error = await reading.then(
    () => expect.fail("it was read"),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(DeviceError);
  return error;
}

await describeOnGpu("a kernel that GPU.js does not translate", (device) => {
  const untranslatable: KernelSpec = {
    name: "untranslatable",
    arguments: ["buffer"],
    body(x: number[]) {
      return x.map((y) => y + 1)[0]!;
    },
  };

  test("is named when its result is read, or anything computed from it; other tensors are fine", async () => {
    const x = tensor(Float32Array.of(1, 2, 3), { device }) as Tensor<[number]>;
    const result = launched(device, untranslatable, x);
    const later = result.add(x).mul(2);
    const beside = x.add(x);
    const { message } = await errorOf(result.data());
    expect(message).toMatch(/^gpu: untranslatable failed: ./);
    expect((await errorOf(later.data())).message).toBe(message);
    expect((await errorOf(result.data())).message).toBe(message);
    expect(await beside.data()).toEqual(Float32Array.of(2, 4, 6));
  });

  test("is named when an op on the CPU needs its result", async () => {
    const x = tensor(Float32Array.of(1, 2, 3), { device }) as Tensor<[number]>;
    const sorted = launched(device, untranslatable, x).cast("uint8");
    expect((await errorOf(sorted.data())).message).toContain("untranslatable failed");
  });
});

await describeOnGpu("a backend that was disposed of", (shared) => {
  test("says so when its tensors are used, and holds no memory once they are gone", async () => {
    const device = await createGpuBackend({ mode: shared.info().mode });
    const x = tensor(Float32Array.of(1, 2, 3), { device });
    const y = x.add(x);
    expect(await y.data()).toEqual(Float32Array.of(2, 4, 6));
    device.dispose();
    expect((await errorOf(y.data())).message).toContain("the backend was disposed");
    const later = y.add(y);
    expect((await errorOf(later.data())).message).toMatch(/^gpu: .* failed: the backend was disposed/);
    for (const each of [x, y, later]) each.dispose();
    expect(device.info().memoryBytes).toBe(0);
    expect(device.info().usedBytes).toBe(0);
    const z = tensor(Float32Array.of(1, 2, 3), { device: shared });
    expect(await z.add(z).data()).toEqual(Float32Array.of(2, 4, 6));
  });
});

const webasm = await gpuBackend("webasm");
describe.skipIf(!webasm)("a kernel that GPU.js moves to the CPU (gpu, webasm)", () => {
  const spec: KernelSpec = {
    name: "moved",
    arguments: ["buffer"],
    body(x: number[]) {
      return x[this.thread.x]! + 1;
    },
  };

  test("is an error that names the reason, unless the caller allowed it; then it is listed", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {}); // by GPU.js
    onTestFinished(() => warned.mockRestore());
    for (const allowFallback of [false, true]) {
      const device = await createGpuBackend({ mode: "webasm", allowFallback });
      const { gpu } = device.launcher;
      const createKernel = gpu.createKernel.bind(gpu);
      const constantOfTexture = { constants: { unused: 1 }, constantTypes: { unused: "ArrayTexture(1)" } }; // not in webasm
      gpu.createKernel = (source, settings) => createKernel(source, { ...settings, ...constantOfTexture });
      const result = launched(device, spec, tensor(Float32Array.of(1, 2), { device }) as Tensor<[number]>);
      if (allowFallback) {
        expect(await result.data()).toEqual(Float32Array.of(2, 3));
        expect(device.info().degraded).toEqual({ moved: expect.stringContaining("ArrayTexture(1)") });
      } else {
        const { message } = await errorOf(result.data());
        expect(message).toMatch(/^gpu: moved failed: .*ArrayTexture.*webasm.*allowFallback/);
        expect(device.info().degraded).toEqual({});
      }
    }
  });
});

const webgpu = await gpuBackend("webgpu");
describe.skipIf(!webgpu)("the device (gpu, webgpu)", () => {
  const small = () => tensor(Float32Array.of(1, 2, 3), { device: webgpu! });

  test("without memory for a result says so when it is read, and goes on with other tensors", async () => {
    const device = webgpu!;
    const x = small();
    const kept = x.add(x);
    const { usedBytes } = device.info();
    // 1 GiB each: SwiftShader has no room for the first, other devices may have for some.
    const large: Tensor[] = [];
    let error: DeviceError | undefined;
    while (!error && large.length < 256) {
      const [result, corner] = tidy(() => {
        const one = x.select(0, 1) as AnyTensor;
        const all = one.expand([2 ** 14, 2 ** 14]).contiguous() as Tensor;
        return [all, all.select(0, 0).select(0, 0).add(1) as Tensor] as const;
      });
      large.push(result);
      error = await corner.data().then(
        () => undefined,
        (reason) => reason,
      );
      corner.dispose();
    }
    expect(error).toBeInstanceOf(DeviceError);
    expect(error!.message).toMatch(/^gpu: copy.* failed: .*memory/i);
    for (const tensor of large) tensor.dispose();
    expect(device.info().usedBytes).toBe(usedBytes);
    expect(await kept.add(x).data()).toEqual(Float32Array.of(3, 6, 9));
  });

  test("without memory for a compiled function's results says so when it is compiled", async () => {
    const device = webgpu!;
    const { usedBytes, memoryBytes } = device.info();
    const large = (x: Tensor<readonly [1]>) => {
      const all = (x as AnyTensor).expand([2 ** 14, 2 ** 14]).contiguous() as Tensor; // 1 GiB
      return all.select(0, 0).select(0, 0).add(1);
    };
    const compiling = compile(device, [{ shape: [1], dtype: "float32" }], large);
    const error = await compiling.then(
      (compiled) => compiled.dispose(), // a device with so much room
      (reason) => reason,
    );
    if (error) {
      expect(error).toBeInstanceOf(DeviceError);
      expect(error.message).toMatch(/^gpu: compiling failed: .*memory/i);
    }
    const x = small();
    const y = x.add(x);
    expect(await y.data()).toEqual(Float32Array.of(2, 4, 6));
    for (const each of [x, y]) each.dispose();
    expect(device.info().usedBytes - usedBytes).toBeLessThan(2 ** 20);
    expect(device.info().memoryBytes - memoryBytes).toBeLessThan(2 ** 20);
  });

  test("says what it found wrong with a kernel's run, when its result is read", async () => {
    const device = webgpu!;
    const x = small();
    await x.add(x).data(); // compiles the kernel
    const gpuDevice = (device.launcher.runtime as WebGpuRuntime).context.device;
    const { createBindGroup } = gpuDevice;
    gpuDevice.createBindGroup = (descriptor) =>
      createBindGroup.call(gpuDevice, { ...descriptor, entries: [...descriptor.entries].slice(1) });
    let result: Tensor | undefined;
    let later: Tensor | undefined;
    try {
      result = x.add(x) as Tensor;
    } finally {
      gpuDevice.createBindGroup = createBindGroup;
      later = result!.mul(3) as Tensor;
    }
    expect((await errorOf(later.data())).message).toMatch(/^gpu: .*failed: .*(bind|entries)/i);
    expect((await errorOf(result!.data())).message).toMatch(/^gpu: .*failed: .*(bind|entries)/i);
    expect(await x.add(x).data()).toEqual(Float32Array.of(2, 4, 6));
  });

  test("with less room than an array needs says how much it takes", async () => {
    const { maxArrayBytes } = webgpu!.info();
    const rows = Math.ceil(maxArrayBytes! / 4 / 2 ** 14) + 1;
    const result = small()
      .select(0, 1)
      .expand([rows, 2 ** 14])
      .contiguous();
    expect((await errorOf(result.data())).message).toContain(`${maxArrayBytes}`);
  });

  test("once lost ends every read and run with what to do; a new backend works", async () => {
    const device = (await gpuBackend("webgpu"))!;
    const x = tensor(Float32Array.of(1, 2, 3), { device });
    const y = x.add(x);
    const compiled = await compile(device, [{ shape: [3], dtype: "float32" }], (z) => z.add(x));
    expect(await y.data()).toEqual(Float32Array.of(2, 4, 6));
    const { device: gpuDevice } = (device.launcher.runtime as WebGpuRuntime).context;
    gpuDevice.destroy();
    const launchedAfter = y.add(1);
    const reading = y.data();
    const advice = /^gpu: .* failed: the device was lost \(.+\); make a new backend/;
    for (const attempt of [
      () => reading,
      () => launchedAfter.data(),
      () => y.data(),
      () => x.add(x).data(),
      () => tensor([1], { device }).add(1).data(),
      () => compiled.run(Float32Array.of(1, 2, 3)),
      () => compile(device, [{ shape: [3], dtype: "float32" }], (z) => z.add(x)),
    ]) {
      expect((await errorOf(attempt())).message).toMatch(advice);
    }
    compiled.dispose();
    device.dispose();
    const next = await createGpuBackend({ mode: "webgpu" });
    const z = tensor(Float32Array.of(1, 2, 3), { device: next });
    expect(await z.add(z).data()).toEqual(Float32Array.of(2, 4, 6));
  });
});
