import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { gpuBackend } from "./modes.ts";

const optional = ["gpu.js", "webgpu", "gl"];
const require = createRequire(import.meta.url);

/** The modules that an entry point of the package is made of, and what it imports from other packages, by kind. */
async function graphOf(entry: string): Promise<{ modules: string[]; imports: { path: string; kind: string }[] }> {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../../src/${entry}`, import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "node",
    external: optional,
    metafile: true,
    write: false,
  });
  const inputs = Object.entries(metafile.inputs);
  return {
    modules: inputs.map(([path]) => path),
    imports: inputs.flatMap(([, { imports }]) => imports.filter(({ external }) => external)),
  };
}

/** The optional peers among the CommonJS modules that were loaded in this process. */
const loaded = () =>
  Object.keys(require.cache).filter((path) => optional.some((name) => path.includes(`/node_modules/${name}/`)));

test("the package without its subpath has no part of the GPU backend, and imports no other package", async () => {
  const { modules, imports } = await graphOf("index.ts");
  expect(modules.length).toBeGreaterThan(30);
  expect(modules.filter((path) => path.includes("backends/gpu"))).toEqual([]);
  expect(imports.filter(({ path }) => !path.startsWith("node:"))).toEqual([]);
});

test("the subpath imports optional peers when it is asked for a backend, and where no bundler sees it", async () => {
  const { modules, imports } = await graphOf("backends/gpu/index.ts");
  expect(modules.filter((path) => path.includes("backends/gpu")).length).toBeGreaterThan(10);
  expect(imports.filter(({ path }) => !path.startsWith("node:"))).toEqual([]);
  await import("../../src/backends/gpu/index.ts");
  expect(loaded()).toEqual([]);
  if (await gpuBackend("cpu")) expect(loaded().length).toBeGreaterThan(0);
});
