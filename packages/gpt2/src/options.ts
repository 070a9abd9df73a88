/** An option that does not exist, or a value that it cannot have. */
export class OptionError extends RangeError {
  override readonly name = "OptionError";
  /** The option at fault. */
  readonly option: string;
  constructor(option: string, message: string) {
    super(`${option}: ${message}`);
    this.option = option;
  }
}

/** Throws an {@link OptionError} for a name that is not `known`: a misspelt option must not pass silently. */
export function checkOptionNames(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new OptionError(name, `there is no such option; there are ${known.join(", ")}`);
  }
}

/** Throws an {@link OptionError} unless the option is left out or an integer in `low`..`high`. */
export function checkInteger(option: string, value: unknown, low: number, high = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high)) {
    return;
  }
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low}` : `from ${low} to ${high}`;
  throw new OptionError(option, `expected an integer ${range}, got ${show(value)}`);
}

/** Throws an {@link OptionError} unless the option is left out or a finite number that `accepts` takes. */
export function checkNumber(
  option: string,
  value: unknown,
  expected: string,
  accepts: (value: number) => boolean,
): void {
  if (value === undefined || (typeof value === "number" && Number.isFinite(value) && accepts(value))) return;
  throw new OptionError(option, `expected ${expected}, got ${show(value)}`);
}

/** Throws an {@link OptionError} unless the option is left out, true or false. */
export function checkFlag(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") {
    throw new OptionError(option, `expected true or false, got ${show(value)}`);
  }
}

/** Throws an {@link OptionError} unless the option is left out or one of `choices`. */
export function checkChoice(option: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  throw new OptionError(option, `there are ${choices.join(", ")}; got ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
