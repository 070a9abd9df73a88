import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { type AnyTensor, diagonal, fromData, type Tensor, unfold, valueAndGrad } from "../../src/index.ts";
import { backends } from "../backends.ts";
import { normal, scalar } from "./differences.ts";

type Of<T extends AnyTensor = AnyTensor> = (x: T) => T;

/** A view of a tensor, step by step: each step fits the shape that the last one left. */
const view: fc.Arbitrary<Of> = fc
  .array(fc.tuple(fc.nat(6), fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 4 })
  .map((steps) => (x: AnyTensor) => steps.reduce(viewStep, x));

function viewStep(x: AnyTensor, [kind, a, b, c]: readonly [number, number, number, number]): AnyTensor {
  if (x.rank === 0) return x.expand([1 + (a % 3)]) as AnyTensor;
  const axis = a % x.rank;
  const size = x.shape[axis]!;
  switch (kind) {
    case 0:
      return x.transpose(axis as number, (b % x.rank) as number) as AnyTensor;
    case 1: {
      const start = b % size;
      return x.slice(axis as number, start, start + 1 + (c % (size - start)), 1 + (c % 2)) as AnyTensor;
    }
    case 2:
      return x.select(axis as number, b % size) as AnyTensor;
    case 3:
      return x.unsqueeze(axis).expand([...x.shape.slice(0, axis), 1 + (b % 3), ...x.shape.slice(axis)]) as AnyTensor;
    case 4:
      return x.rank > 4 ? x : (unfold(x, axis as number, 1 + (b % size), 1 + (c % 2)) as AnyTensor);
    case 5:
      return x.rank < 2
        ? x
        : (diagonal(x, (b % 3) - 1) as AnyTensor).size > 0
          ? (diagonal(x, (b % 3) - 1) as AnyTensor)
          : x;
    default:
      return x.flatten() as AnyTensor; // which may copy
  }
}

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });

const smooth: Readonly<Record<string, Of<Tensor>>> = {
  tanh: (x) => x.tanh(),
  square: (x) => x.square(),
  sigmoid: (x) => x.sigmoid(),
  softmax: (x) => x.softmax(-1 as number),
  "exp of a tenth": (x) => x.mul(0.1).exp(),
  "minus the mean": (x) => x.sub(x.mean(-1 as number, true) as Tensor<never>) as Tensor,
  "product with itself": (x) => x.mul(x) as Tensor,
};
const functions = fc.constantFrom(...Object.keys(smooth)).map((name) => smooth[name]!);

const close = (actual: AnyTensor, expected: AnyTensor, tolerance = 1e-4) => {
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  expect(actual.shape).toEqual(expected.shape);
  for (let i = 0; i < b.length; i++) {
    expect(Math.abs(a[i]! - b[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b[i]!)));
  }
};

describe.each([backends[0]!, backends[1]!])("gradients ($title)", ({ backend: device }) => {
  const gradientOf = (x: Tensor, f: (x: Tensor) => Tensor) => valueAndGrad(x, () => scalar(f(x))).gradients;

  test("of a view are those of its elements, where they are", () => {
    fc.assert(
      fc.property(shape, view, fc.nat(), (of, show, seed) => {
        const x = normal(of, seed, device);
        const numbers = fromData(
          Array.from({ length: x.size }, (_, i) => i),
          of,
          { dtype: "int32", device: referenceBackend },
        );
        const shown = show(numbers).dataSync();
        const factors = normal(show(x).shape, seed + 1, device);
        const { gradients } = valueAndGrad(
          x,
          () => (show(x) as Tensor).mul(factors as Tensor<never>).sum() as Tensor<[]>,
        );
        const expected = new Float64Array(x.size);
        for (const [i, factor] of factors.dataSync().entries()) expected[shown[i]!]! += factor;
        close(gradients, fromData([...expected], of, { device }), 1e-5);
      }),
    );
  });

  test("by several views of one memory add up", () => {
    fc.assert(
      fc.property(shape, fc.array(view, { minLength: 2, maxLength: 3 }), (of, list) => {
        const x = normal(of, 1, device);
        const together = valueAndGrad(x, () =>
          list.map((show) => scalar(show(x) as Tensor)).reduce((sum, each) => sum.add(each)),
        ).gradients;
        const apart = list.map((show) => gradientOf(x, (y) => show(y) as Tensor));
        close(
          together,
          apart.reduce((sum, each) => sum.add(each as Tensor<never>) as Tensor),
          1e-5,
        );
      }),
    );
  });

  test("are linear in the loss", () => {
    fc.assert(
      fc.property(shape, functions, functions, fc.integer({ min: -3, max: 3 }), (of, f, g, factor) => {
        const x = normal(of, 2, device);
        const both = valueAndGrad(x, () =>
          scalar(f(x))
            .mul(factor)
            .add(scalar(g(x))),
        ).gradients;
        close(
          both,
          gradientOf(x, f)
            .mul(factor)
            .add(gradientOf(x, g) as Tensor<never>),
        );
      }),
    );
  });

  test("of a composition are those of its parts, one after the other", () => {
    fc.assert(
      fc.property(shape, functions, functions, (of, f, g) => {
        const x = normal(of, 3, device);
        const y = f(x);
        const dy = gradientOf(y, g);
        const inTwo = valueAndGrad(
          x,
          () =>
            f(x)
              .mul(dy as Tensor<never>)
              .sum() as Tensor<[]>,
        ).gradients;
        close(
          gradientOf(x, (z) => g(f(z))),
          inTwo,
        );
      }),
    );
  });

  test("of some weights have the bits that they have among all of them", () => {
    fc.assert(
      fc.property(shape, functions, functions, (of, f, g) => {
        const weights = { a: normal(of, 4, device), b: normal(of, 5, device) };
        const loss = () => scalar(g(f(weights.a).mul(weights.b as Tensor<never>) as Tensor));
        const all = valueAndGrad(weights, loss).gradients;
        for (const key of ["a", "b"] as const) {
          expect(valueAndGrad(weights[key], loss).gradients.dataSync()).toEqual(all[key].dataSync());
        }
      }),
    );
  });

  test("accumulate: the second loss's are added to the first's", () => {
    fc.assert(
      fc.property(shape, view, functions, (of, show, f) => {
        const x = normal(of, 8, device);
        const [first, second] = [() => scalar(f(x)), () => scalar(show(x) as Tensor)];
        const expected = valueAndGrad(x, first).gradients.add(valueAndGrad(x, second).gradients as Tensor<never>);
        const { gradients } = valueAndGrad(x, second, { into: valueAndGrad(x, first).gradients });
        close(gradients, expected as Tensor, 1e-5);
      }),
    );
  });

  test("go through a copy into a window as through the elements that it replaces", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), fc.nat(), functions, (size, a, b, f) => {
        const start = a % size;
        const end = start + 1 + (b % (size - start));
        const inside = fromData(
          Array.from({ length: size }, (_, i) => Number(i >= start && i < end)),
          [size],
          { device },
        );
        const weights = { x: normal([size], 6, device), y: normal([size], 7, device) };
        const { x, y } = weights;
        const written = valueAndGrad(weights, () => {
          const buffer = x.mul(2);
          buffer.slice(0 as number, start, end).copy_(y.slice(0 as number, start, end) as Tensor<never>);
          return scalar(f(buffer));
        });
        const chosen = valueAndGrad(weights, () => {
          const outside = inside.neg().add(1);
          return scalar(
            f(
              x
                .mul(2)
                .mul(outside as Tensor<never>)
                .add(y.mul(inside as Tensor<never>) as Tensor<never>) as Tensor,
            ),
          );
        });
        for (const key of ["x", "y"] as const) close(written.gradients[key], chosen.gradients[key], 1e-5);
      }),
    );
  });
});
