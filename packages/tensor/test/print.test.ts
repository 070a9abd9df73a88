import { arange, tensor, zeros } from "@gpt2-ts/tensor";
import { expect, test } from "vitest";

const device = "reference";
const lines = (value: { toString(): string }): string[] => value.toString().split("\n");

test("a matrix has its columns aligned under a header", () => {
  expect(
    lines(
      tensor(
        [
          [1, -2.5],
          [10.25, 0.125],
        ],
        { device },
      ),
    ),
  ).toEqual(["Tensor float32 [2, 2] on reference", "[[ 1.0000, -2.5000],", " [10.2500,  0.1250]]"]);
});

test("whole numbers have no digits after the point", () => {
  expect(lines(tensor([1, 2, 300], { device }))[1]).toBe("[  1.,   2., 300.]");
});

test("a wide range is written in powers of ten", () => {
  expect(lines(tensor([1e-6, 1234.5], { device }))[1]).toBe("[1.0000e-6, 1.2345e+3]");
});

test("infinities and NaN have their names", () => {
  expect(lines(tensor([Number.NaN, Number.POSITIVE_INFINITY, -1.5], { device }))[1]).toBe(
    "[    nan,     inf, -1.5000]",
  );
});

test("integers and booleans look like themselves", () => {
  expect(lines(tensor([1, -20], { device, dtype: "int32" }))[1]).toBe("[  1, -20]");
  expect(lines(tensor([true, false], { device, dtype: "bool" }))[1]).toBe("[ true, false]");
});

test("scalars, empty tensors and stacks of matrices", () => {
  expect(lines(tensor(2.5, { device }))).toEqual(["Tensor float32 [] on reference", "2.5000"]);
  expect(lines(zeros([0, 3], { device }))).toEqual(["Tensor float32 [0, 3] on reference", "[[]]"]);
  expect(lines(arange(0, 8, 1, { device }).reshape([2, 2, 2]))).toEqual([
    "Tensor float32 [2, 2, 2] on reference",
    "[[[0., 1.],",
    "  [2., 3.]],",
    "",
    " [[4., 5.],",
    "  [6., 7.]]]",
  ]);
});

test("long axes are cut to their ends", () => {
  expect(lines(arange(0, 2000, 1, { device }))[1]).toBe("[   0.,    1.,    2., ..., 1997., 1998., 1999.]");
  expect(lines(zeros([50, 50], { device }))).toHaveLength(1 + 7);
});
