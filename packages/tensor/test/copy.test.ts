import { arange, tensor, zeros } from "@gpt2-ts/tensor";
import { expect, test } from "vitest";

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
  expect(() => buffer.copy_(tensor([1, 2, 3], { device }))).toThrow("copy_: [3] does not broadcast to [3, 2]");
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
