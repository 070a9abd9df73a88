import { expect, test } from "vitest";
import { compile } from "../../src/backends/gpu/index.ts";
import { tensor } from "../../src/index.ts";
import { describeOnGpu } from "./modes.ts";

await describeOnGpu("compile", (device) => {
  test("gives what the function gives, at every call", async () => {
    const weight = tensor([[1, 2], [3, 4]], { device });
    const compiled = await compile(device, [{ shape: [2, 2], dtype: "float32" }], (x) =>
      x.add(weight).add(weight).mul(2),
    );
    console.log(compiled.executorKind, compiled.fallbackReason);
    expect(await compiled.run(Float32Array.of(0, 1, 2, 3))).toEqual(Float32Array.of(4, 10, 16, 22));
    expect(await compiled.run(Float32Array.of(1, 1, 1, 1))).toEqual(Float32Array.of(6, 10, 14, 18));
    compiled.dispose();
    expect(await weight.toList()).toEqual([[1, 2], [3, 4]]);
  });
});
