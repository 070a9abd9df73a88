import {
  arange,
  createWasmBackend,
  empty,
  eye,
  fillAsync,
  fromData,
  full,
  linspace,
  ones,
  ShapeMismatchError,
  tensor,
  zeros,
} from "@gpt2-ts/tensor";
import { expect, test } from "vitest";

const device = "reference";

test("nested arrays become tensors and come back", async () => {
  const nested = [[[1, 2]], [[3, 4]], [[5, 6]]];
  const t = tensor(nested, { device });
  expect(t.shape).toEqual([3, 1, 2]);
  expect(await t.toList()).toEqual(nested);
  expect(tensor([[true, false]], { device, dtype: "bool" }).toListSync()).toEqual([[true, false]]);
  expect(tensor(7, { device }).itemSync()).toBe(7);
  expect(tensor([[], []], { device }).shape).toEqual([2, 0]);
});

test("typed arrays are copied, not shared", () => {
  const data = Float32Array.of(1, 2, 3);
  const t = tensor(data, { device });
  data[0] = 99;
  expect(t.toListSync()).toEqual([1, 2, 3]);
});

test.each([[[[1, 2], [3]]], [[[1], 2]], [[1, [2]]]])("ragged nesting %j is refused", (nested) => {
  expect(() => tensor(nested as number[], { device })).toThrow(ShapeMismatchError);
});

test("fromData checks the size", () => {
  expect(fromData([1, 2, 3, 4], [2, 2], { device }).toListSync()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(() => fromData([1, 2, 3], [2, 2], { device })).toThrow("3 elements do not fill [2, 2], which takes 4");
});

test("sizes must be whole numbers from zero", () => {
  expect(() => zeros([2, -1], { device })).toThrow(ShapeMismatchError);
  expect(() => zeros([1.5], { device })).toThrow(ShapeMismatchError);
});

test("constants, ranges and the identity", () => {
  expect(ones([2], { device }).toListSync()).toEqual([1, 1]);
  expect(full([2], 3, { device, dtype: "int32" }).toListSync()).toEqual([3, 3]);
  expect(eye(2, { device }).toListSync()).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(arange(3, undefined, 1, { device }).toListSync()).toEqual([0, 1, 2]);
  expect(arange(5, 0, -2, { device }).toListSync()).toEqual([5, 3, 1]);
  expect(arange(0, -1, 1, { device }).toListSync()).toEqual([]);
  expect(linspace(0, 1, 5, { device }).toListSync()).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(linspace(2, 3, 1, { device }).toListSync()).toEqual([2]);
  expect(() => arange(0, 1, 0)).toThrow(RangeError);
});

test("an empty tensor has room, and writes nothing to it", () => {
  const wasm = createWasmBackend({ threads: 1 });
  try {
    using before = full([3, 5], 7, { device: wasm });
    before.dispose();
    using t = empty([3, 5], { device: wasm }); // where the other was
    expect(t.shape).toEqual([3, 5]);
    expect(t.dtype).toBe("float32");
    expect(Array.from(t.dataSync())).toEqual(new Array(15).fill(7));
    t.copy_(ones([3, 5], { device: wasm }));
    expect(Array.from(t.dataSync())).toEqual(new Array(15).fill(1));
  } finally {
    wasm.dispose();
  }
  expect(() => empty([-1], { device })).toThrow(ShapeMismatchError);
});

test.each(["reference", "wasm"] as const)("fillAsync writes straight into %s memory", async (name) => {
  const t = await fillAsync([2, 2], async (data) => data.set([1, 2, 3, 4]), { device: name });
  expect(t.toListSync()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  await expect(
    fillAsync(
      [2],
      async () => {
        throw new Error("cut off");
      },
      { device: name },
    ),
  ).rejects.toThrow("cut off");
});
