import { expect, test } from "vitest";
import { tensor } from "../../src/index.ts";
import { describeOnGpu } from "./modes.ts";

await describeOnGpu("tensors", (device) => {
  test("are computed with on the device", async () => {
    const before = device.info().launches;
    const a = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    const b = tensor(
      [
        [10, 20],
        [30, 40],
      ],
      { device },
    );
    expect(await a.add(b).add(b).toList()).toEqual([
      [21, 42],
      [63, 84],
    ]);
    expect(device.info().launches - before).toBe(2);
  });

  test("are computed with on the CPU where there is no kernel, which is recorded", async () => {
    device.fallbacks.clear();
    const a = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    expect(await a.add(a).prod(0).add(1).toList()).toEqual([13, 33]);
    expect(device.fallbacks.entries().map(({ op }) => op)).toContain("prod");
  });
});
