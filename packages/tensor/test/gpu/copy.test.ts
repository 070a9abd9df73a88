import { expect, test } from "vitest";
import { arange, empty, tensor, zeros } from "../../src/index.ts";
import { describeOnGpu } from "./modes.ts";

await describeOnGpu("copy_", (device) => {
  test("writes rows, columns, single elements and everything, broadcast", async () => {
    device.fallbacks.clear();
    const buffer = zeros([3, 4], { device });
    buffer.slice(0, 1, 2).copy_(tensor([[1, 2, 3, 4]], { device }));
    buffer.slice(1, 3, 4).copy_(tensor([[7], [8], [9]], { device }));
    buffer
      .slice(0, 0, 2)
      .slice(1, 1, 3)
      .copy_(tensor([5, 6], { device }));
    buffer.select(0, 2).select(0, 0).copy_(tensor(-1, { device }));
    expect(await buffer.toList()).toEqual([
      [0, 5, 6, 7],
      [1, 5, 6, 8],
      [-1, 0, 0, 9],
    ]);
    buffer.copy_(tensor([1, 2, 3, 4], { device }));
    expect(await buffer.select(0, 2).toList()).toEqual([1, 2, 3, 4]);
    expect(device.fallbacks.entries()).toEqual([]);
  });

  test("takes rows out of a wider tensor, as a KV cache does", async () => {
    const wide = arange(0, 24, 1, { device }).reshape([4, 6]);
    const cache = zeros([5, 2], { device });
    cache.slice(0, 1, 5).copy_(wide.slice(1, 2, 4));
    expect(await cache.toList()).toEqual([
      [0, 0],
      [2, 3],
      [8, 9],
      [14, 15],
      [20, 21],
    ]);
  });

  test("writes parts of a tensor without elements yet, in any order of its axes", async () => {
    const cache = empty([3, 2], { device });
    cache.slice(0, 1, 3).copy_(
      tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device },
      ),
    );
    cache.slice(0, 0, 1).copy_(tensor([5, 6], { device }));
    expect(await cache.toList()).toEqual([
      [5, 6],
      [1, 2],
      [3, 4],
    ]);
    const columns = empty([2, 3], { device });
    columns.transpose().copy_(cache);
    expect(await columns.toList()).toEqual([
      [5, 1, 3],
      [6, 2, 4],
    ]);
  });

  test("leaves alone what was computed from the old elements", async () => {
    const buffer = tensor([1, 2, 3], { device });
    const before = buffer.add(buffer);
    buffer.slice(0, 1, 2).copy_(tensor([9], { device }));
    const after = buffer.add(buffer);
    expect(await before.toList()).toEqual([2, 4, 6]);
    expect(await after.toList()).toEqual([2, 18, 6]);
  });

  test("moves only what changes, where the mode writes in place", async () => {
    const cache = zeros([1000, 8], { device });
    const row = tensor([[1, 2, 3, 4, 5, 6, 7, 8]], { device });
    await cache.slice(0, 0, 1).copy_(row).data(); // both are on the device now
    const { launches, uploads, readbacks } = device.info();
    for (let i = 1; i < 5; i++) cache.slice(0, i, i + 1).copy_(row);
    await device.launcher.queue.do(() => {});
    expect(device.info()).toMatchObject({ launches, uploads, readbacks });
    const eight = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(await cache.slice(0, 3, 6).toList()).toEqual([eight, eight, new Array(8).fill(0)]);
  });

  test("from an overlapping view reads before it writes", async () => {
    const square = arange(0, 9, 1, { device }).reshape([3, 3]);
    square.copy_(square.transpose());
    expect(await square.toList()).toEqual([
      [0, 3, 6],
      [1, 4, 7],
      [2, 5, 8],
    ]);
  });
});
