import * as scalarMath from "@gpt2-ts/tensor/math";

/** Cells that fewer draws are expected in are taken together, as Pearson's approximation needs. */
const LEAST_EXPECTED = 5;

/** The probability of frequencies at least as far from the expected ones as these, if those are right (Pearson, 1900). */
export function chiSquareP(observed: readonly number[], expected: readonly number[]): number {
  let statistic = 0;
  let cells = 0;
  let rare = { observed: 0, expected: 0 };
  const add = (o: number, e: number): void => {
    statistic += (o - e) ** 2 / e;
    cells++;
  };
  for (const [i, e] of expected.entries()) {
    if (e >= LEAST_EXPECTED) add(observed[i]!, e);
    else rare = { observed: rare.observed + observed[i]!, expected: rare.expected + e };
  }
  if (rare.expected === 0 && rare.observed > 0) return 0;
  if (rare.expected > 0) add(rare.observed, rare.expected);
  return upperTail(statistic, cells - 1);
}

/** P(X > x) of the chi-square distribution (Abramowitz and Stegun 26.4.4 and 26.4.5). */
export function upperTail(x: number, degrees: number): number {
  const half = x / 2;
  const odd = degrees % 2 === 1;
  let sum = odd ? scalarMath.erfc(Math.sqrt(half)) : 0;
  let term = odd ? Math.sqrt(half / Math.PI) * 2 * Math.exp(-half) : Math.exp(-half);
  for (let k = odd ? 1.5 : 1; k <= degrees / 2; k++) {
    sum += term;
    term *= half / k;
  }
  return sum;
}
