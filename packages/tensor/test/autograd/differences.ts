import { expect } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { fromData, Generator, randn, type Tensor, tidy, valueAndGrad } from "../../src/index.ts";

/** Standard normal numbers, other ones for another seed. */
export function normal(shape: readonly number[], seed: number, device: Backend): Tensor {
  return randn(shape, { seed: new Generator(seed), device });
}

/** Numbers from 0.5 up. */
export function positive(shape: readonly number[], seed: number, device: Backend): Tensor {
  return tidy(() => normal(shape, seed, device).abs().add(0.5));
}

/** Σ x·c with fixed c, a scalar to which every element of x matters differently. */
export function scalar(x: Tensor): Tensor<[]> {
  return x.mul(normal(x.shape, 99, x.device)).sum() as Tensor<[]>;
}

const STEP = 2 ** -7;

/**
 * Compares the gradients of f by each of `xs` with central differences along three random directions; tolerance is relative to the
 * directional derivative's usual size.
 */
export function expectDifferences(xs: readonly Tensor[], f: (...xs: Tensor[]) => Tensor<[]>, tolerance = 2e-3): void {
  const { value, gradients } = valueAndGrad(xs, () => f(...xs));
  expect(value.dataSync()).toEqual(tidy(() => f(...xs)).dataSync());
  for (const [i, x] of xs.entries()) {
    const gradient = gradients[i]!;
    expect(gradient.shape).toEqual(x.shape);
    const size = Math.sqrt(tidy(() => gradient.square().sum().itemSync())) + 1;
    for (let seed = 1; seed <= 3; seed++) {
      const [expected, actual] = tidy(() => {
        const direction = normal(x.shape, 1000 * i + seed, x.device);
        const at = (step: number) =>
          f(...xs.map((other, j) => (i === j ? (x.add(direction.mul(step)) as Tensor) : other))).itemSync();
        return [(at(STEP) - at(-STEP)) / (2 * STEP), gradient.mul(direction).sum().itemSync()] as const;
      });
      expect(Math.abs(actual - expected) / size, `operand ${i}: ${actual}, by differences ${expected}`).toBeLessThan(
        tolerance,
      );
    }
  }
}

export function vector(values: readonly number[], device: Backend): Tensor {
  return fromData(values, [values.length], { device }) as Tensor;
}
