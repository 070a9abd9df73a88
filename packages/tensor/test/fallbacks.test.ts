import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Op } from "../src/backends/backend.ts";
import { overrides } from "../src/backends/wasm/overrides/index.ts";

/** Every op there is: what the modules of ops/ export under a name in -Op. (Devices pack in their own way, by no kernel.) */
const folder = new URL("../src/ops/", import.meta.url);
const ops: string[] = [];
/** Those that bring kernels along. */
const equipped = new Map<string, Op<unknown>>();
for (const file of await readdir(folder, { recursive: true })) {
  if (!file.endsWith(".ts")) continue;
  const module: Record<string, unknown> = await import(new URL(file.replaceAll("\\", "/"), folder).href);
  for (const [name, value] of Object.entries(module)) {
    if (!name.endsWith("Op") || name === "packOp") continue;
    const op = value as Op<unknown>;
    ops.push(op.name);
    if (op.kernels) equipped.set(op.name, op);
  }
}

test("the README lists exactly the ops that have no wasm kernel", async () => {
  expect(ops.length).toBeGreaterThan(60);
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, list] = /has no kernel of its own on `wasm`[^:]*These are\n?([^.]*)\./.exec(readme) ?? [];
  const documented = [...(list ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name);
  expect(documented).toEqual([...new Set(ops)].filter((name) => !(overrides.has(name) || equipped.has(name))).sort());
});

test("every wasm kernel belongs to an op", () => {
  expect([...overrides.keys()].filter((name) => !ops.includes(name))).toEqual([]);
});

test("the ops of gradients bring kernels for wasm along, which nobody else needs", () => {
  expect(equipped.size).toBeGreaterThan(10);
  for (const [name, { kernels }] of equipped) {
    expect(kernels).toEqual({ wasm: expect.any(Function) });
    expect(overrides.has(name)).toBe(false);
  }
});
