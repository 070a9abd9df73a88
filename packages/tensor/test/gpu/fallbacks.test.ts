import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Op } from "../../src/backends/backend.ts";
import { kernels } from "../../src/backends/gpu/kernels/index.ts";
import { attention, embedding, encodeVectors, fromData, sort, tensor } from "../../src/index.ts";
import { matmulInto } from "../../src/ops/backward/matmul.ts";
import { describeOnGpu } from "./modes.ts";

/** Every op there is: what the modules of ops/ export under a name in -Op. (Devices pack in their own way, by no kernel.) */
const folder = new URL("../../src/ops/", import.meta.url);
const ops: string[] = [];
for (const file of await readdir(folder)) {
  if (file === "backward") continue; // for gradients
  const module: Record<string, unknown> = await import(new URL(file, folder).href);
  for (const [name, op] of Object.entries(module))
    if (name.endsWith("Op") && name !== "packOp") ops.push((op as Op<unknown>).name);
}

test("the README lists exactly the ops that have no GPU kernel", async () => {
  expect(ops.length).toBeGreaterThan(60);
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [, list] = /without a kernel of its own on `gpu`[^:]*:\s*([^.]*)\./.exec(readme) ?? [];
  const documented = [...(list ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name);
  expect(documented).toEqual([...new Set(ops)].filter((name) => !kernels.has(name)).sort());
});

test("every GPU kernel belongs to an op", () => {
  expect([...kernels.keys()].filter((name) => !ops.includes(name))).toEqual([]);
});

await describeOnGpu("an op that the GPU does not take", (device) => {
  test("runs on wasm between others that it does take, and is recorded with the reason", async () => {
    device.fallbacks.clear();
    const doubled = tensor([3, 1, 2], { device }).add(tensor([3, 1, 2], { device }));
    const { values, indices } = sort(doubled, 0);
    const sum = values.add(tensor([100, 200, 300], { device }));
    expect(await sum.toList()).toEqual([102, 204, 306]);
    expect(await indices.toList()).toEqual([1, 2, 0]);
    expect(device.fallbacks.entries()).toEqual([{ op: "sort", reason: "no GPU kernel", count: 1 }]);
  });

  test("is named with the element type when that is why: int32 is not computed with as floats", async () => {
    device.fallbacks.clear();
    const large = fromData([2 ** 24 + 1, 7], [2], { dtype: "int32", device });
    expect(await large.add(large).toList()).toEqual([2 ** 25 + 2, 14]);
    expect(device.fallbacks.entries()).toEqual([{ op: "add", reason: "int32", count: 1 }]);
  });

  test("is attention over keys and values in fewer bits", async () => {
    device.fallbacks.clear();
    const x = fromData(
      Array.from({ length: 48 }, (_, i) => Math.sin(i)),
      [3, 2, 8],
      { device },
    );
    const encoded = encodeVectors(x, "int8");
    const y = await attention(x, encoded, encoded).data();
    const expected = await attention(x, x, x).data();
    for (const [i, value] of y.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(0.02);
    expect(device.fallbacks.entries()).toEqual([
      { op: "encodeVectors", reason: "no GPU kernel", count: 1 },
      { op: "attention", reason: "encoded keys and values", count: 1 },
    ]);
  });

  test("may add to what there is, as gradients do", async () => {
    device.fallbacks.clear();
    const [a, b] = [tensor([[1], [2]], { device }), tensor([[3, 4]], { device })];
    const out = tensor(
      [
        [10, 20],
        [30, 40],
      ],
      { device },
    ).add(1);
    matmulInto(a, b, out, { accumulate: true });
    expect(await out.mul(2).toList()).toEqual([
      [28, 50],
      [74, 98],
    ]);
    expect(device.fallbacks.entries()).toEqual([{ op: "matmulInto", reason: "no GPU kernel", count: 1 }]);
  });

  test("reports an index outside a table when the result is read", async () => {
    const table = fromData([1, 2, 3, 4], [2, 2], { device });
    const ids = fromData([0, 2], [2], { dtype: "int32", device });
    await expect(embedding(table, ids).data()).rejects.toThrow("id 2 is outside a table of 2 rows");
  });
});
