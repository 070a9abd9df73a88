import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as library from "../../src/index.ts";
import {
  DisposedError,
  DTypeError,
  full,
  meshgrid,
  ShapeMismatchError,
  Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { methods, spelt } from "../../src/methods/table.ts";
import "../../src/methods/index.ts";

const functions = library as unknown as Readonly<Record<string, unknown>>;
const x = tensor([[1, -2, 3], [4, 5, 6]], { device: "reference" }); // biome-ignore format: rows

/** Methods whose functions have other names, or which are of the class itself: memory, data, indexing. */
const named: Readonly<Record<string, string>> = { var: "variance" };
const ofTheClass = ["constructor", "to", "at", "pack", "contiguous", "copy_"];

describe("functions and methods", () => {
  const own = Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype))
    .filter(([name, { value }]) => typeof value === "function" && !ofTheClass.includes(name))
    .map(([name]) => name);

  test("exist both ways: each method is a function", () => {
    expect(own.length).toBeGreaterThan(100);
    expect(own.filter((name) => typeof functions[named[name] ?? name] !== "function")).toEqual([]);
  });

  test("exist both ways: each function of a tensor first is a method", async () => {
    const functionOnly = [
      // They make tensors, or take several, or no tensor first.
      ...["tensor", "fromData", "empty", "zeros", "ones", "full", "arange", "linspace", "eye", "rand", "randn"],
      ...["randInt", "randPerm", "fillAsync", "packAsync", "concat", "stack", "meshgrid", "einsum", "where"],
      // Layers.
      ...["linear", "layerNorm", "embedding", "attention", "attentionWeights", "targetLogProbs", "encodeVectors"],
    ];
    const folder = new URL("../../src/functional/", import.meta.url);
    const modules: object[] = await Promise.all(
      readdirSync(folder).map((file): Promise<object> => import(new URL(file, folder).href)),
    );
    const exported = modules.flatMap((module) => Object.keys(module).filter((name) => name in functions));
    expect(exported.length).toBeGreaterThan(120);
    expect(exported.filter((name) => ![...own, ...functionOnly, "variance"].includes(name))).toEqual([]);
  });

  test("are the same: what the import adds calls the function", () => {
    for (const name of Object.keys({ ...methods, ...spelt })) expect(own).toContain(name);
    expect(x.std(0).toListSync()).toEqual(library.std(x, 0).toListSync());
    expect(x.var().itemSync()).toBe(library.variance(x).itemSync());
    expect(x.mod(4).toListSync()).toEqual([[1, 2, 3], [0, 1, 2]]); // biome-ignore format: rows
    expect(x.relu().log2().isFinite().all().itemSync()).toBe(0);
  });

  test("of the import throw after the tensor was disposed", () => {
    const gone = tensor([1, 2]);
    const kept = gone.reshape([2]);
    gone.dispose();
    expect(() => gone.std()).toThrow(DisposedError);
    expect(() => library.std(gone)).toThrow(DisposedError);
    expect(kept.std().itemSync()).toBeCloseTo(Math.SQRT1_2, 6);
  });
});

describe("tensors", () => {
  test("are indexed, reversed, flattened and gone through", () => {
    expect(x.at(1, -1).itemSync()).toBe(6);
    expect(x.at(-1).toListSync()).toEqual([4, 5, 6]);
    expect(x.T.toListSync()).toEqual([[1, 4], [-2, 5], [3, 6]]); // biome-ignore format: rows
    expect(x.flatten().shape).toEqual([6]);
    expect(x.ndim).toBe(2);
    expect([...x].map((row) => row.sum().itemSync())).toEqual([2, 15]);
    expect(() => [...tensor(1)]).toThrow(ShapeMismatchError);
    expect(() => x.at(2)).toThrow("select: index 2 is outside axis 0 of [2, 3]");
  });

  test("count what holds", () => {
    expect(x.gt(2).sum().dtype).toBe("int32");
    expect(x.gt(2).sum(0).toListSync()).toEqual([1, 1, 2]);
    expect(full([300], 255, { dtype: "uint8" }).sum().itemSync()).toBe(76500);
  });
});

describe("wrong arguments are errors that name the function and what it wants", () => {
  // biome-ignore lint/suspicious/noExplicitAny: as JavaScript calls them
  const f: any = library;
  test.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    ["no tensor", () => f.std([1, 2]), TypeError, "std: x must be a tensor, got [1, 2]"],
    ["two numbers", () => f.add(1, 2), TypeError, "add: a must be a tensor, got 2"],
    [
      "a number for an integer",
      () => f.sub(0.5, f.tensor([1], { dtype: "int32" })),
      DTypeError,
      "sub: int32 cannot hold",
    ],
    ["an integer divided by 0", () => f.mod(f.tensor([1], { dtype: "int32" }), 0), DTypeError, "mod: 1 modulo 0"],
    ["an option", () => f.std(x, 0, false, { ddof: 1 }), library.OptionError, "ddof: there is no such option of std"],
    ["no correction", () => f.variance(x, 0, false, { correction: "1" }), library.OptionError, "correction: expected"],
    ["a norm", () => f.norm(x, 0, false, { p: "fro" }), library.OptionError, 'p: expected a number, got "fro"'],
    ["nothing", () => f.median(zeros([0])), ShapeMismatchError, "median: has no value for no elements of [0]"],
    [
      "pairs",
      () => f.pad(x, [[1, 1]]),
      ShapeMismatchError,
      "pad: expected a width from 0, or [before, after] for each",
    ],
    ["a value to pad", () => f.pad(x.cast("int32"), 1, 0.5), DTypeError, "full: int32 cannot hold 0.5"],
    ["windows", () => f.unfold(x, 1, 4), ShapeMismatchError, "unfold: no windows of 4, 1 apart, in axis 1 of [2, 3]"],
    ["times", () => f.tile(x, [-1]), ShapeMismatchError, "tile: expected whole numbers from 0 of times, got [-1]"],
    ["a grid of matrices", () => meshgrid([x] as never), ShapeMismatchError, "meshgrid: vector 0 must have 1 axes [N]"],
    ["an id", () => f.oneHot(f.tensor([4], { dtype: "int32" }), 4), ShapeMismatchError, "scatter: index 4 is outside"],
    ["an equation", () => f.einsum("ij->ji", x, x), ShapeMismatchError, 'einsum: expected letters such as "ij,jk->ik"'],
    ["sizes in it", () => f.einsum("ij,jk->ik", x, x), ShapeMismatchError, "einsum: j is 3 and 2 in ij,jk->ik"],
    ["a letter in it", () => f.einsum("ij,ij->iz", x, x), ShapeMismatchError, "einsum: z behind the arrow"],
    ["axes in it", () => f.einsum("i,ij->j", x, x), ShapeMismatchError, 'einsum: "i" names 1 axes of [2, 3]'],
    ["a dot of others", () => f.dot(x.at(0), f.ones([2])), ShapeMismatchError, "dot: sizes 3 and 2 differ"],
    ["bins", () => f.histogram(x, 0), ShapeMismatchError, "histogram: expected a number of bins from 1, got 0"],
    ["a range", () => f.histogram(x, 2, { range: [1, 1] }), library.OptionError, "range: expected two numbers"],
    [
      "draws",
      () => f.multinomial(x.abs(), 4, { seed: 1 }),
      ShapeMismatchError,
      "multinomial: expected a number of draws",
    ],
    ["no seed", () => f.multinomial(x.abs(), 1), TypeError, "multinomial: expected options with a seed"],
    [
      "targets",
      () => f.crossEntropy(x, f.zeros([3], { dtype: "int32" })),
      ShapeMismatchError,
      "targets must be [2], got [3]",
    ],
    ["channels", () => f.conv1d(x, f.ones([1, 3, 1])), ShapeMismatchError, "conv1d: expected x [N, I, L] or [I, L]"],
    [
      "a stride",
      () => f.conv1d(x, f.ones([1, 2, 1]), undefined, { stride: 0 }),
      library.OptionError,
      "stride: expected",
    ],
    [
      "groups",
      () => f.conv1d(x, f.ones([1, 2, 1]), undefined, { groups: 2 }),
      library.OptionError,
      "groups: there is no",
    ],
    ["an axis", () => f.flip(x, 2), ShapeMismatchError, "flip: axis 2 is outside a tensor of 2 dimensions"],
    ["a flattened order", () => f.flatten(x, 1, 0), ShapeMismatchError, "flatten: axis 1 comes after axis 0 in [2, 3]"],
  ])("%s", (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});
