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

/**
 * Throws an {@link OptionError} for a name that is not `known`: a misspelt option must not pass silently. Throws a TypeError, which
 * names the function `of`, for what is no object of options.
 */
export function checkOptionNames(options: unknown, known: readonly string[], of?: string): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Symbol.iterator in options) {
    const names = known.map((name) => `${name}: …`).join(", ");
    throw new TypeError(`${of ? `${of}: ` : ""}expected options such as { ${names} }, got ${showValue(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new OptionError(name, `there is no such option${of ? ` of ${of}` : ""}; there are ${known.join(", ")}`);
  }
}

/** Throws an {@link OptionError} unless the option is left out or one of `choices`. */
export function checkChoice(option: string, value: unknown, choices: readonly unknown[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new OptionError(option, `there are ${choices.join(", ")}; got ${showValue(value)}`);
}

/** A value of any kind, short enough for a message; control characters are escaped. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return printable(JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value));
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) {
    const items = value.slice(0, 4).map((item) => (typeof item === "object" ? "…" : showValue(item)));
    return `[${items.join(", ")}${value.length > 4 ? ", …" : ""}]`;
  }
  const name: unknown = value.constructor?.name; // undefined of an object without a prototype
  if (typeof name === "string" && name !== "" && name !== "Object") return `a ${name}`;
  const keys = Object.keys(value);
  return keys.length === 0 ? "{}" : `{ ${keys.slice(0, 4).map(showName).join(", ")}${keys.length > 4 ? ", …" : ""} }`;
}

/** A name that stands in someone's file, short enough for a message. */
export function showName(name: string): string {
  return printable(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

/** Text with escapes for what a terminal would obey or not show: control characters, also of C1, and those that turn its direction. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
