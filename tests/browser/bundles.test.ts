import { afterAll, describe, expect, test } from "vitest";
import { bundlers } from "./support/bundle.ts";

const kernels = "packages/tensor/dist/backends/wasm/kernels.generated.js";

/** What pages import, and the most it may weigh, in kilobytes after minifying and gzip. docs/browser.md has the figures. */
const imports = [
  { what: "all of safetensors-ts", source: 'export * from "safetensors-ts"', kilobytes: 12.5 },
  { what: "parse of safetensors-ts", source: 'export { parse } from "safetensors-ts"', kilobytes: 5.5 },
  { what: "all of @gpt2-ts/tensor", source: 'export * from "@gpt2-ts/tensor"', kilobytes: 106 },
  {
    what: "@gpt2-ts/tensor with all methods",
    source: 'import "@gpt2-ts/tensor/methods"; export { tensor } from "@gpt2-ts/tensor"',
    kilobytes: 72.5,
  },
  { what: "Tensor of @gpt2-ts/tensor", source: 'export { Tensor } from "@gpt2-ts/tensor"', kilobytes: 61.5 },
  { what: "Generator of @gpt2-ts/tensor", source: 'export { Generator } from "@gpt2-ts/tensor"', kilobytes: 2.5 },
  { what: "all of @gpt2-ts/gpt2", source: 'export * from "@gpt2-ts/gpt2"', kilobytes: 120 },
  { what: "GPT2 of @gpt2-ts/gpt2", source: 'export { GPT2 } from "@gpt2-ts/gpt2"', kilobytes: 117 },
  { what: "train of @gpt2-ts/gpt2/train", source: 'export { train } from "@gpt2-ts/gpt2/train"', kilobytes: 101 },
  {
    what: "GPT2, and all of @gpt2-ts/gpt2/look",
    source: 'export { GPT2 } from "@gpt2-ts/gpt2"; export * from "@gpt2-ts/gpt2/look"',
    kilobytes: 123,
  },
  { what: "all of @gpt2-ts/gpt2/draw", source: 'export * from "@gpt2-ts/gpt2/draw"', kilobytes: 9 },
  {
    what: "GPT2Worker of @gpt2-ts/gpt2/worker",
    source: 'export { GPT2Worker } from "@gpt2-ts/gpt2/worker"',
    kilobytes: 16.5,
  },
  // With esbuild's splitting, what the parts that are loaded later share with each other comes along.
  { what: "Tokenizer of @gpt2-ts/gpt2", source: 'export { Tokenizer } from "@gpt2-ts/gpt2"', kilobytes: 14 },
];

describe.each(Object.entries(bundlers))("bundled by %s", (name, bundle) => {
  const sizes: Record<string, object> = {};
  afterAll(() => console.table(sizes));

  test.each(imports)("$what is small, and has nothing of Node in it", async ({ what, source, kilobytes }) => {
    const { bytes, gzipBytes, modules, imports, warnings } = await bundle(source);
    sizes[what] = { [`${name}, minified, kB`]: bytes / 1000, "gzip, kB": gzipBytes / 1000 };
    expect({ imports, warnings }).toEqual({ imports: [], warnings: [] });
    expect(modules.length).toBeGreaterThan(0);
    for (const file of modules) expect(file).toMatch(/^\0|^packages\/(safetensors|tensor|gpt2)\/dist\//);
    expect(modules.filter((file) => /gpu/.test(file))).toEqual([]);
    expect(
      modules.filter((file) => /\/(hub\/(?!error|file-url|names|options)|cli\/|pretrained\/node)/.test(file)),
    ).toEqual([]);
    expect(gzipBytes).toBeLessThan(kilobytes * 1000);
  });

  test("parsing a file in memory does not bring the reading of files and URLs along", async () => {
    const { modules } = await bundle('export { parse } from "safetensors-ts"');
    expect(modules).toContain("packages/safetensors/dist/safetensors.js");
    expect(modules.filter((file) => /file|http|open|sharded|node-modules|serialize/.test(file))).toEqual([]);
  });

  test("the gpu device is a file of its own, loaded when it is asked for, GPU.js installed or not", async () => {
    const { later } = await bundle('export { GPT2 } from "@gpt2-ts/gpt2"');
    expect(later).toContain("packages/tensor/dist/backends/gpu/create.js");
  });

  test("what reads tokenizer.json and the files beside it comes when a model has them", async () => {
    const { later } = await bundle('export { GPT2 } from "@gpt2-ts/gpt2"');
    expect(later).toContain("packages/gpt2/dist/tokenizer/tokenizer-json.js");
    expect(later).toContain("packages/gpt2/dist/checkpoint/tokenizer-settings.js");
  });

  test("what keeps models in the browser comes when one is loaded by its name", async () => {
    const { later, modules } = await bundle('export { GPT2 } from "@gpt2-ts/gpt2"');
    expect(later).toContain("packages/gpt2/dist/browser-cache/keep-model.js");
    expect(modules.filter((file) => file.includes("browser-cache"))).toEqual([]);
  });

  test("kernels come along where tensors are made, and only there", async () => {
    const kernelsWith = async (source: string) => (await bundle(source)).modules.includes(kernels);
    expect(await kernelsWith('export { zeros } from "@gpt2-ts/tensor"')).toBe(true);
    expect(await kernelsWith('export { Generator, dim } from "@gpt2-ts/tensor"')).toBe(false);
    expect(await kernelsWith('export { Tokenizer, trainBPE } from "@gpt2-ts/gpt2"')).toBe(false);
  });
});
