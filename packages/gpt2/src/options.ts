import { OptionError, showValue } from "@gpt2-ts/tensor/options";

/** Throws a TypeError that names the function and says what it expects, unless `value` is something to go through, and no string. */
export function expectIterable<Items extends Iterable<unknown>>(of: string, expected: string, value: Items): Items {
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return value;
  throw new TypeError(`${of}: expected ${expected}, got ${showValue(value)}`);
}

/** Throws an {@link OptionError} unless the option is left out or an integer in `low`..`high`. */
export function checkInteger(option: string, value: unknown, low: number, high = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high)) {
    return;
  }
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low}` : `from ${low} to ${high}`;
  throw new OptionError(option, `expected an integer ${range}, got ${showValue(value)}`);
}

/** Throws an {@link OptionError} unless the option is left out or a finite number that `accepts` takes. */
export function checkNumber(
  option: string,
  value: unknown,
  expected: string,
  accepts: (value: number) => boolean,
): void {
  if (value === undefined || (typeof value === "number" && Number.isFinite(value) && accepts(value))) return;
  throw new OptionError(option, `expected ${expected}, got ${showValue(value)}`);
}

/** Throws an {@link OptionError} unless the option is left out, true or false. */
export function checkFlag(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") {
    throw new OptionError(option, `expected true or false, got ${showValue(value)}`);
  }
}
