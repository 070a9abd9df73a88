import { OptionError, showValue } from "../options.ts";

/** Throws an {@link OptionError} unless the value is a finite number that `accepts` takes. */
export function checkNumber(
  option: string,
  value: unknown,
  expected: string,
  accepts: (value: number) => boolean,
): void {
  if (typeof value === "number" && Number.isFinite(value) && accepts(value)) return;
  throw new OptionError(option, `expected ${expected}, got ${showValue(value)}`);
}

export const isPositive = (value: number): boolean => value > 0;
export const isAtLeastZero = (value: number): boolean => value >= 0;
/** Of a decay rate of a running mean. */
export const isShareBelowOne = (value: number): boolean => value >= 0 && value < 1;
