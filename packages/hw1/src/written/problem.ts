/** One number that a claim stands or falls with. */
export interface CheckResult {
  /** What was computed. */
  readonly what: string;
  /** What the claim says it is. */
  readonly expected: number | string;
  readonly got: number | string;
  /** How far apart the two may be; none given: not at all. */
  readonly tolerance?: number;
  readonly holds: boolean;
}

/** A written problem: the answer, and the numbers that support it. */
export interface WrittenProblem {
  /** The problem sheet's number, such as "3.1". */
  readonly id: string;
  readonly title: string;
  /** The answer, in one or two sentences. */
  readonly claim: string;
  /** How the answer differs from that of the answer sheet, and why; absent where it does not. */
  readonly differs?: string;
  /** Computes both sides of the claim on cases drawn from this seed. */
  check(seed: number): CheckResult[];
}

/** Whether a number is within `tolerance` of what it should be. NaN never is. */
export function near(what: string, expected: number, got: number, tolerance: number): CheckResult {
  return { what, expected, got, tolerance, holds: expected === got || Math.abs(expected - got) <= tolerance };
}

/** Whether something is exactly what it should be. */
export function same(what: string, expected: number | string, got: number | string): CheckResult {
  return { what, expected, got, holds: expected === got };
}

/** Whether a number is greater than `bound`. */
export function above(what: string, bound: number, got: number): CheckResult {
  return { what, expected: `above ${formatNumber(bound)}`, got, holds: got > bound };
}

/** Whether a number is at least `bound`. */
export function atLeast(what: string, bound: number, got: number): CheckResult {
  return { what, expected: `at least ${formatNumber(bound)}`, got, holds: got >= bound };
}

/** Whether a number is less than `bound`. */
export function below(what: string, bound: number, got: number): CheckResult {
  return { what, expected: `below ${formatNumber(bound)}`, got, holds: got < bound };
}

/** A number to be read: six significant digits, integers in full. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return value === 0 ? "0" : value.toLocaleString("en");
  return String(Number(value.toPrecision(6)));
}
