import { expect, test } from "vitest";
import { createGpuBackend } from "../../src/backends/gpu/index.ts";
import {
  type AnyTensor,
  arange,
  defaultDevice,
  eye,
  fillAsync,
  full,
  linspace,
  ones,
  rand,
  sort,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from "../../src/index.ts";
import { describeOnGpu } from "./modes.ts";

const values = {
  float32: [0, -1.5, 3e38, 1e-30, Number.POSITIVE_INFINITY],
  int32: [0, -7, 2 ** 24, -(2 ** 24), 5],
  uint8: [0, 1, 255, 128, 7],
  bool: [1, 0, 1, 1, 0],
} as const;
const dtypes = Object.keys(values) as (keyof typeof values)[];

await describeOnGpu("data", (device) => {
  test("comes back as it went in, without a trip to the device", async () => {
    const before = device.info();
    for (const dtype of dtypes) {
      const data = await tensor(values[dtype], { device, dtype }).data();
      expect(data).toEqual(await tensor(values[dtype], { dtype }).data());
    }
    const large = Int32Array.of(2 ** 31 - 1, -(2 ** 31));
    expect(await tensor(large, { device, dtype: "int32" }).data()).toEqual(large);
    expect(device.info().uploads).toBe(before.uploads);
    expect(device.info().readbacks).toBe(before.readbacks);
  });

  test("comes back from the device in its own element type", async () => {
    const x = tensor([0, -1.5, 3e38, 0.25, Number.POSITIVE_INFINITY], { device });
    const before = device.info();
    expect(await x.neg().data()).toEqual(Float32Array.of(-0, 1.5, -3e38, -0.25, Number.NEGATIVE_INFINITY));
    expect(device.info().uploads - before.uploads).toBe(1);
    expect(await x.gt(0).data()).toEqual(Uint8Array.of(0, 0, 1, 1, 1));
    expect(await x.argMin().data()).toEqual(Int32Array.of(1));
    expect(device.info().readbacks - before.readbacks).toBe(3);
  });

  test("goes to the device once, however many ops read it, and stays there", async () => {
    const x = rand([40, 50], { seed: 1, device });
    const before = device.info();
    const sum = tidy(() => x.add(x).add(x.mul(x)));
    await sum.data();
    await x.sub(sum).data();
    const { uploads, uploadedBytes } = device.info();
    expect(uploads - before.uploads).toBe(1);
    expect(uploadedBytes - before.uploadedBytes).toBe(40 * 50 * 4);
  });

  test("is made in the same way as on the CPU", async () => {
    const there = { device };
    const here = { device: defaultDevice() };
    for (const [x, y] of [
      [zeros([2, 3], there), zeros([2, 3], here)],
      [ones([3], { ...there, dtype: "int32" }), ones([3], { ...here, dtype: "int32" })],
      [full([2], 7.5, there), full([2], 7.5, here)],
      [arange(1, 10, 3, there), arange(1, 10, 3, here)],
      [linspace(0, 1, 5, there), linspace(0, 1, 5, here)],
      [eye(3, there), eye(3, here)],
      [rand([4, 4], { seed: 5, ...there }), rand([4, 4], { seed: 5, ...here })],
    ] as const) {
      expect(x.device).toBe(device);
      expect(await x.contiguous().data()).toEqual(await y.data());
    }
  });

  test("can be written in place before the device gets it", async () => {
    const x = await fillAsync([2, 2], async (data) => data.set([1, 2, 3, 4]), { device });
    expect(await x.add(x).toList()).toEqual([
      [2, 4],
      [6, 8],
    ]);
  });

  test("moves from another device and is read there at once, here only in time", async () => {
    const x = tensor([1, 2, 3]).to(device);
    const y = x.add(x);
    expect(await y.data()).toEqual(Float32Array.of(2, 4, 6));
    expect(() => y.dataSync()).toThrow(/^gpu: .*await data\(\)/);
    expect(() => y.to("wasm")).toThrow(/await data\(\)/);
    expect(String(y)).toContain("await data()");
  });

  test("of no elements needs no device", async () => {
    const empty = zeros([0, 3], { device });
    expect(await empty.add(empty).toList()).toEqual([]);
    expect(await empty.contiguous().data()).toHaveLength(0);
  });
});

await describeOnGpu("views", (device) => {
  test("are read from where they begin, in their own order", async () => {
    const x = arange(24, undefined, 1, { device }).reshape([2, 3, 4]);
    const reference = arange(24).reshape([2, 3, 4]);
    const pairs = [
      [x.select(0, 1), reference.select(0, 1)],
      [x.slice(2, 1, 4, 2), reference.slice(2, 1, 4, 2)],
      [x.permute([2, 0, 1]), reference.permute([2, 0, 1])],
      [x.select(1, 2).transpose(), reference.select(1, 2).transpose()],
      [x.slice(1, 1, 2).expand([2, 5, 4]), reference.slice(1, 1, 2).expand([2, 5, 4])],
    ] as readonly (readonly AnyTensor[])[] as readonly (readonly [Tensor, Tensor])[];
    for (const [view, expected] of pairs) {
      expect(await view.data()).toEqual(await expected.data()); // from the CPU's copy
      expect(await view.contiguous().data()).toEqual(await expected.data());
      expect(await view.add(view).data()).toEqual(await expected.add(expected).data());
      expect(await view.data()).toEqual(await expected.data()); // from the device
    }
  });

  test("see what is written to the tensor, by a kernel or by the CPU, and results computed before do not", async () => {
    const x = zeros([2, 3], { device });
    const [first, second] = x.split([1, 1], 0);
    const before = x.add(1);
    first.copy_(tensor([[1, 2, 3]], { device }));
    const between = x.add(0);
    second.copy_(sort(first.add(first), 1, { descending: true }).values);
    const rows = [
      [1, 2, 3],
      [6, 4, 2],
    ];
    expect(await x.toList()).toEqual(rows);
    expect(await x.transpose().contiguous().toList()).toEqual([
      [1, 6],
      [2, 4],
      [3, 2],
    ]);
    expect(await before.toList()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
    expect(await between.toList()).toEqual([
      [1, 2, 3],
      [0, 0, 0],
    ]);
  });

  test("are read as they were when data() was called", async () => {
    const x = tensor([1, 2, 3], { device });
    const y = x.add(0);
    const reading = [x.data(), y.data()] as const;
    x.copy_(tensor([7, 8, 9], { device }));
    y.copy_(x);
    expect(await reading[0]).toEqual(Float32Array.of(1, 2, 3));
    expect(await reading[1]).toEqual(Float32Array.of(1, 2, 3));
    expect(await y.data()).toEqual(Float32Array.of(7, 8, 9));
  });
});

await describeOnGpu("memory", (shared) => {
  /** Of its own, so that no tensor of another test is collected meanwhile. */
  const own = () => createGpuBackend({ mode: shared.info().mode });

  test("of a thousand ops is no more than of ten", async () => {
    const device = await own();
    const x = rand([64, 64], { seed: 1, device });
    const buffer = zeros([64, 64], { device });
    const repeat = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        tidy(() => {
          const y = x.add(x).mul(0.5).transpose().contiguous();
          buffer.slice(0, i % 64, (i % 64) + 1).copy_(y.slice(0, 0, 1));
        });
      }
      await buffer.data();
    };
    await repeat(10);
    const { usedBytes, memoryBytes } = device.info();
    await repeat(250); // of four ops each
    expect(device.info().usedBytes).toBe(usedBytes);
    expect(device.info().memoryBytes).toBeLessThanOrEqual(memoryBytes);
    x.dispose();
    buffer.dispose();
    expect(device.info().usedBytes).toBe(usedBytes - 2 * 64 * 64 * 4);
  });

  test("of a view is given back with the last tensor that looks at it", async () => {
    const device = await own();
    const { usedBytes } = device.info();
    const x = tensor([1, 2, 3, 4], { device });
    const y = x.add(x);
    const half = y.slice(0, 2);
    x.dispose();
    y.dispose();
    expect(device.info().usedBytes).toBe(usedBytes + 16);
    expect(await half.data()).toEqual(Float32Array.of(6, 8));
    half.dispose();
    expect(device.info().usedBytes).toBe(usedBytes);
    await expect(half.data()).rejects.toThrow("disposed");
  });

  test("may be given back while the device is at work and while it is read", async () => {
    const device = shared;
    const x = rand([300, 300], { seed: 2, device });
    const expected = await rand([300, 300], { seed: 2 }).mul(4).data();
    const y = x.add(x);
    const z = y.add(y);
    x.dispose();
    y.dispose();
    const reading = z.data();
    z.dispose();
    expect(await reading).toEqual(expected);
  });
});
