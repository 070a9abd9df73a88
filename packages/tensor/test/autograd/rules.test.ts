import { describe, expect, test } from "vitest";
import * as api from "../../src/index.ts";
import { type Tensor, valueAndGrad } from "../../src/index.ts";
import { backends } from "../backends.ts";
import { cases } from "./cases.ts";
import { expectDifferences, scalar, vector } from "./differences.ts";

for (const { title, backend } of backends.slice(0, 2)) {
  describe(`gradients agree with differences (${title})`, () => {
    test.each(cases)("%s", (_, make, f) => {
      expectDifferences(make(backend), (...xs) => scalar(f(...xs)));
    });
  });
}

describe.each(backends)("where derivatives do not exist ($title)", ({ backend: device }) => {
  const gradientOf = (values: readonly number[], f: (x: Tensor) => Tensor): number[] => {
    const x = vector(values, device);
    return [...valueAndGrad(x, () => f(x).sum() as Tensor<[]>).gradients.dataSync()];
  };

  test("steps have the gradient zero", () => {
    for (const f of [api.sign, api.floor, api.ceil, api.round])
      expect(gradientOf([-1.5, 0, 0.3], f)).toEqual([0, 0, 0]);
  });

  test("abs and relu have none at 0, maximum and minimum half of it for equals, max and min equal parts", () => {
    expect(gradientOf([-2, 0, 2], (x) => x.abs())).toEqual([-1, 0, 1]);
    expect(gradientOf([-2, 0, 2], (x) => x.relu())).toEqual([0, 0, 1]);
    expect(gradientOf([1, 2, 3], (x) => x.maximum(2))).toEqual([0, 0.5, 1]);
    expect(gradientOf([1, 2, 3], (x) => x.minimum(2))).toEqual([1, 0.5, 0]);
    expect(gradientOf([3, 1, 3], (x) => x.max() as Tensor)).toEqual([0.5, 0, 0.5]);
    expect(gradientOf([3, 1, 1], (x) => x.min() as Tensor)).toEqual([0, 0.5, 0.5]);
  });

  test("products with zeros have the gradients that the other factors give", () => {
    expect(gradientOf([2, 3, 4], (x) => x.prod() as Tensor)).toEqual([12, 8, 6]);
    expect(gradientOf([2, 0, 4], (x) => x.prod() as Tensor)).toEqual([0, 8, 0]);
    expect(gradientOf([0, 0, 4], (x) => x.prod() as Tensor)).toEqual([0, 0, 0]);
  });

  test("powers of 0 and with exponent 0 have no NaN", () => {
    expect(gradientOf([0, 0, 2], (x) => x.pow(vector([0, 2, 0], device) as Tensor<never>) as Tensor)).toEqual([
      0, 0, 0,
    ]);
    expect(gradientOf([0, 1, 2], (b) => vector([0, 0, 1], device).pow(b as Tensor<never>) as Tensor)).toEqual([
      0, 0, 0,
    ]);
  });
});
