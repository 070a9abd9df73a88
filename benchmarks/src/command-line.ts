/** What the benchmarks' commands check of their options: what is wrong ends the process with a sentence, and status 2. */

/** Options of the commands that wait for a quiet machine, and can be had in a hurry, as `parseArgs` takes them. */
export const COMMON_OPTIONS = {
  quick: { type: "boolean", default: false },
  node: { type: "string", default: process.execPath },
  "no-wait": { type: "boolean", default: false },
} as const;

/** The known ones that were given, in the known order. */
export function chosen<Name extends string>(
  command: string,
  option: string,
  given: readonly string[],
  known: readonly Name[],
): Name[] {
  const unknown = given.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) fail(command, `--${option} takes ${known.join(", ")}, not ${unknown}`);
  return known.filter((name) => given.includes(name));
}

/** An option's integer; undefined if it was not given. */
export function integer(
  command: string,
  option: string,
  given: string | undefined,
  least: number,
  most: number,
): number | undefined {
  const value = decimal(command, option, given, least, most);
  if (value !== undefined && !Number.isInteger(value)) fail(command, `--${option} takes an integer, not ${given}`);
  return value;
}

/** An option's number; undefined if it was not given. */
export function decimal(
  command: string,
  option: string,
  given: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (given === undefined) return undefined;
  const value = given.trim() === "" ? Number.NaN : Number(given);
  if (!(value >= least && value <= most))
    fail(command, `--${option} takes a number from ${least} to ${most}, not ${given}`);
  return value;
}

function fail(command: string, message: string): never {
  console.error(`${command}: ${message}`);
  process.exit(2);
}
