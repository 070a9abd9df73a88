import { describe, expect, test } from "vitest";
import * as library from "../src/index.ts";
import { DeviceError, DTypeError, OptionError, ShapeMismatchError } from "../src/index.ts";
import { describeOnEveryBackend } from "./backends.ts";

// Called as JavaScript calls them: with whatever it has.
// biome-ignore lint/suspicious/noExplicitAny: that is what is tested
const untyped: any = library;
const { tensor, fromData, zeros, ones, empty, full, arange, linspace, eye, rand, randn, randInt } = untyped;
const { linear, gelu, attention, attentionWeights, sort } = untyped;
const { fillAsync, packAsync, createWasmBackend, device: deviceNamed, setDefaultDevice } = untyped;

const [x, w, b, q] = [ones([2, 3]), ones([3, 4]), ones([4]), ones([2, 1, 4])];

type Expected = new (...args: never[]) => Error;

describe("an argument that would be ignored, or fail somewhere inside, is an error that says what was expected", () => {
  test.each<[string, () => unknown, Expected, string]>([
    [
      "a shape for options",
      () => tensor([1, 2, 3, 4], [2, 2]),
      TypeError,
      "tensor: expected options such as { dtype: …, device: … }, got [2, 2]",
    ],
    [
      "a dtype for options",
      () => tensor([1], "int32"),
      TypeError,
      'tensor: expected options such as { dtype: …, device: … }, got "int32"',
    ],
    ["null for options", () => zeros([1], null), TypeError, "zeros: expected options"],
    [
      "a misspelt option",
      () => zeros([2], { dtpye: "int32" }),
      OptionError,
      "dtpye: there is no such option of zeros; there are dtype, device",
    ],
    [
      "a dtype that does not exist",
      () => zeros([2], { dtype: "float64" }),
      OptionError,
      'dtype: there is no "float64"; there are float32, int32, uint8, bool',
    ],
    ["a dtype inherited by objects", () => zeros([2], { dtype: "constructor" }), OptionError, "dtype: there is no"],
    ["a text", () => tensor(["a"]), TypeError, 'tensor: expected numbers, or arrays of them, got "a"'],
    ["null", () => tensor([null]), TypeError, "tensor: expected numbers, or arrays of them, got null"],
    ["undefined", () => tensor([[undefined]]), TypeError, "got undefined"],
    ["a bigint", () => tensor([1n]), TypeError, "got 1n"],
    ["bigints", () => tensor(new BigInt64Array(1)), TypeError, "tensor: expected numbers, got 0n"],
    ["an object", () => tensor({ length: 1 }), TypeError, "got { length }"],
    ["nothing", () => tensor(), TypeError, "got undefined"],
    [
      "sizes for a shape",
      () => zeros(3, 4),
      TypeError,
      "zeros: expected options such as { dtype: …, device: … }, got 4",
    ],
    ["a size for a shape", () => ones(3), TypeError, "ones: expected the shape as an array, such as [2, 3], got 3"],
    ["no shape", () => empty(), TypeError, "empty: expected the shape as an array, such as [2, 3], got undefined"],
    ["a text in a shape", () => zeros(["3"]), ShapeMismatchError, 'zeros: sizes must be integers from 0, got ["3"]'],
    [
      "a shape without end",
      () => zeros([Infinity]),
      ShapeMismatchError,
      "zeros: sizes must be integers from 0, got [Infinity]",
    ],
    ["a text for a value", () => full([2], "1"), TypeError, 'full: expected a value that is a number, got "1"'],
    ["no value", () => full([2]), TypeError, "full: expected a value that is a number, got undefined"],
    ["a text for data", () => fromData("abc", [3]), TypeError, 'fromData: expected an array of numbers, got "abc"'],
    ["texts for data", () => fromData(["1", "2"], [2]), TypeError, 'fromData: expected numbers, got "1"'],
    ["no shape for data", () => fromData([1, 2]), TypeError, "fromData: expected the shape as an array"],
    [
      "a text for a bound",
      () => arange("3"),
      RangeError,
      'arange: expected finite bounds and a step other than 0 (options come fourth), got 0, "3", 1',
    ],
    [
      "a count that is none",
      () => linspace(0, 1, 2.5),
      ShapeMismatchError,
      "linspace: expected a count of numbers, an integer from 0, got 2.5",
    ],
    ["a text for an end", () => linspace(0, "1", 2), TypeError, "linspace: expected a number that is a number"],
    ["part of a row", () => eye(2.5), ShapeMismatchError, "eye: sizes must be integers from 0, got [2.5, 2.5]"],
    ["columns", () => eye(2, 3), TypeError, "eye: expected options such as { dtype: …, device: … }, got 3"],
    [
      "no seed",
      () => randn([2]),
      TypeError,
      "randn: expected options with a seed, such as { seed: 1 } or a Generator, got undefined",
    ],
    [
      "a seed for options",
      () => rand([2], 1),
      TypeError,
      "rand: expected options such as { seed: …, device: … }, got 1",
    ],
    [
      "a seed that is none",
      () => rand([2], { seed: -1 }),
      RangeError,
      "seed: expected an integer from 0 to 2^53 - 1, got -1",
    ],
    ["a text for a seed", () => rand([2], { seed: "1" }), TypeError, 'got "1"'],
    [
      "a dtype of random numbers",
      () => rand([2], { seed: 1, dtype: "int32" }),
      OptionError,
      "dtype: there is no such option of rand",
    ],
    [
      "bounds that no integer has",
      () => randInt(0, 2 ** 33, [1], { seed: 1 }),
      DTypeError,
      "randInt: int32 cannot hold",
    ],
    ["a device that does not exist", () => zeros([1], { device: "cuda" }), DeviceError, "cuda: no such device"],
    [
      "a device that is none",
      () => zeros([1], { device: 5 }),
      OptionError,
      "device: expected the name of a device, or a backend, got 5",
    ],
    [
      "a device that is none, for good",
      () => setDefaultDevice({}),
      OptionError,
      "device: expected the name of a device",
    ],
    ["a dtype of full", () => full([2], 1, { dtype: "float64" }), OptionError, 'dtype: there is no "float64"'],
    [
      "a dtype of arange",
      () => arange(3, undefined, 1, { dtype: "float64" }),
      OptionError,
      'dtype: there is no "float64"',
    ],
    [
      "options for a step",
      () => arange(0, 3, { dtype: "int32" }),
      RangeError,
      "(options come fourth), got 0, 3, { dtype }",
    ],
    ["nothing for a default device", () => setDefaultDevice(), OptionError, "got undefined"],
    ["no device", () => deviceNamed(), DeviceError, "no such device"],
    [
      "a misspelt option of wasm",
      () => createWasmBackend({ thread: 1 }),
      OptionError,
      "thread: there is no such option of createWasmBackend; there are threads,",
    ],
    [
      "a misspelt option of linear",
      () => linear(x, w, b, { activaton: "gelu" }),
      OptionError,
      "of linear; there are activation",
    ],
    [
      "an activation that there is not",
      () => linear(x, w, b, { activation: "softplus" }),
      OptionError,
      'activation: there are none, gelu, geluExact, quickGelu, relu, sigmoid, silu, tanh; got "softplus"',
    ],
    [
      "an approximation that there is not",
      () => gelu(x, "exact"),
      OptionError,
      'approximate: there are tanh, none; got "exact"',
    ],
    [
      "a misspelt option of attention",
      () => attention(q, q, q, { casual: false }),
      OptionError,
      "casual: there is no such option of attention",
    ],
    [
      "a scale that is none",
      () => attention(q, q, q, { scale: "1" }),
      OptionError,
      'scale: expected a number, got "1"',
    ],
    [
      "segments of weights",
      () => attentionWeights(q, q, { segments: [] }),
      OptionError,
      "segments: there is no such option",
    ],
    [
      "a misspelt option of sort",
      () => sort(x, -1, { decending: true }),
      OptionError,
      "decending: there is no such option of sort",
    ],
    [
      "a direction for options",
      () => sort(x, -1, "descending"),
      TypeError,
      "sort: expected options such as { descending: … }",
    ],
    [
      "threads for options",
      () => createWasmBackend(2),
      TypeError,
      "createWasmBackend: expected options such as { threads: …,",
    ],
  ])("%s", (_, call, error, message) => {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
  });

  test("where functions are asynchronous too", async () => {
    await expect(fillAsync([2], 5)).rejects.toThrow("fillAsync: expected a function that writes the elements, got 5");
    await expect(fillAsync([2], () => {}, { dtpye: "int32" })).rejects.toThrow(
      "dtpye: there is no such option of fillAsync",
    );
    await expect(packAsync([8, 8], () => {}, { encodings: "f32" })).rejects.toThrow(
      "encodings: there is no such option of packAsync",
    );
  });
});

describeOnEveryBackend(
  "what an element type cannot hold is refused when a tensor is made, and cast is named",
  (device) => {
    test.each<[string, (options: object) => unknown]>([
      ["tensor", (options) => tensor([1, 3e10], options)],
      ["tensor of float64", (options) => tensor(Float64Array.of(1, 1.5), options)],
      ["fromData", (options) => fromData([1, 0.5], [2], options)],
      ["full", (options) => full([2], -0.5, options)],
      ["arange", (options) => arange(0, 1, 0.25, options)],
    ])("%s", (name, make) => {
      for (const dtype of ["int32", "uint8", "bool"]) {
        expect(() => make({ dtype, device })).toThrow(DTypeError);
        expect(() => make({ dtype, device })).toThrow(
          new RegExp(`^${name.split(" ")[0]}: ${dtype} cannot hold .*cast\\("${dtype}"\\)`),
        );
      }
      expect(() => make({ device })).not.toThrow();
    });

    test("a bool is 0 or 1 from the moment it exists", async () => {
      for (const wrong of [0.5, 2, 255, Number.NaN, -1]) {
        expect(() => tensor([wrong], { dtype: "bool", device })).toThrow(DTypeError);
        expect(() => full([1], wrong, { dtype: "bool", device })).toThrow(DTypeError);
      }
      expect(() => fromData(Uint8Array.of(0, 255), [2], { dtype: "bool", device })).toThrow("bool cannot hold 255");
      const write = async (data: Uint8Array): Promise<void> => void data.fill(7);
      await expect(fillAsync([2], write, { dtype: "bool", device })).rejects.toThrow("fillAsync: bool cannot hold 7");
      expect(tensor([true, false], { dtype: "bool", device }).toListSync()).toEqual([true, false]);
    });

    test("there is no room for more than there is memory", () => {
      expect(() => zeros([1e10], { device })).toThrow(DeviceError);
      expect(() => zeros([1e10], { device })).toThrow(/(takes 40000000000 bytes|out of memory)/);
    });
  },
);

test("numbers that fit stay what they are", () => {
  expect(tensor([-(2 ** 31), 2 ** 31 - 1], { dtype: "int32" }).toListSync()).toEqual([-(2 ** 31), 2 ** 31 - 1]);
  expect(tensor([0, 255], { dtype: "uint8" }).toListSync()).toEqual([0, 255]);
  expect(tensor([1e300, -1e-300, Number.NaN]).toListSync()).toEqual([Infinity, -0, Number.NaN]);
  expect(tensor(true).itemSync()).toBe(1);
});
