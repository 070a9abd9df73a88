import { expect, test } from "vitest";
import { arange, DeviceError, DTypeError, ones, packAsync, type Tensor, tensor, zeros } from "../src/index.ts";
import { describeOnEveryBackend } from "./backends.ts";

test.each(["reference", "wasm"] as const)("copy_ writes through views, broadcast, on %s", (device) => {
  const buffer = zeros([3, 2], { device });
  const row = buffer.slice(0, 1, 2);
  row.copy_(tensor([[5, 6]], { device }));
  expect(buffer.toListSync()).toEqual([
    [0, 0],
    [5, 6],
    [0, 0],
  ]);
  buffer.copy_(tensor([7, 8], { device }));
  expect(buffer.toListSync()).toEqual([
    [7, 8],
    [7, 8],
    [7, 8],
  ]);
  const other: Tensor = tensor([1, 2, 3], { device });
  expect(() => buffer.copy_(other)).toThrow("copy_: [3] does not broadcast to [3, 2]");
});

test.each(["reference", "wasm"] as const)("copy_ from an overlapping view reads before it writes, on %s", (device) => {
  const square = arange(0, 9, 1, { device }).reshape([3, 3]);
  square.copy_(square.transpose());
  expect(square.toListSync()).toEqual([
    [0, 3, 6],
    [1, 4, 7],
    [2, 5, 8],
  ]);
  const line = arange(0, 5, 1, { device });
  line.slice(0, 1).copy_(line.slice(0, 0, 4));
  expect(line.toListSync()).toEqual([0, 0, 1, 2, 3]);
});

describeOnEveryBackend("copy_ into a packed matrix", (device) => {
  test("throws, through any view of it, and leaves it as it was", async () => {
    for (const encoding of ["f32", "bf16", "int8"] as const) {
      const packed = await packAsync([64, 16], async (data) => void data.fill(0.5), { encoding, device });
      const { name } = device;
      for (const target of [packed, packed.transpose(), packed.slice(1, 0, 8), packed.select(0, 3)] as Tensor[]) {
        const source = ones(target.shape, { device });
        expect(() => target.copy_(source)).toThrow(
          new DeviceError(name, "copy_: a packed matrix cannot be written to; write first, then pack()"),
        );
      }
      expect(packed.dataSync().every((value) => value === 0.5)).toBe(true);
    }
  });

  test("works from one", () => {
    const matrix = arange(0, 128, 1, { device }).reshape([16, 8]);
    const copied = zeros([16, 8], { device });
    copied.copy_(matrix.pack());
    expect(copied.toListSync()).toEqual(matrix.toListSync());
  });
});

describeOnEveryBackend("copy_", (device) => {
  test("refuses another element type, and what is no tensor", () => {
    const mask = tensor([true, false], { dtype: "bool", device });
    const bytes = tensor([7, 255], { dtype: "uint8", device });
    expect(() => mask.copy_(bytes as never)).toThrow(DTypeError);
    expect(() => mask.copy_([1, 0] as never)).toThrow(
      "copy_: source must be a tensor, got [1, 0] (tensor(…) makes a tensor of an array)",
    );
    expect(mask.toListSync()).toEqual([true, false]);
  });
});
