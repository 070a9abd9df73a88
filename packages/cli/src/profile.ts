import { type GPT2, OptionError, profileNames } from "@gpt2-ts/gpt2";
import { type Backend, type OpTime, Profiler, startObserving } from "@gpt2-ts/tensor";
import type { Command } from "commander";
import { type Limits, measureLimits } from "./limits.ts";
import { writeNote } from "./output.ts";
import { formatBytes } from "./progress.ts";

/** Adds `--profile`. */
export function addProfileOption(command: Command): Command {
  return command.option("--profile", "at the end, print a table of what each operation took to standard error");
}

/**
 * Does some work with a model, and then prints what its operations took to standard error, also if the work failed or was
 * interrupted.
 *
 * @param wanted whether to print; if not, only the work is done
 * @throws OptionError on a device whose operations are not done when they return
 */
export async function profiled<Result>(
  wanted: boolean | undefined,
  model: GPT2,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!wanted) return await work();
  const { device } = model;
  if (!device.synchronous) {
    throw new OptionError("profile", `operations of the ${device.name} device run later and have no time of their own`);
  }
  const profiler = new Profiler(profileNames(model.model));
  const stop = startObserving(profiler);
  const start = performance.now();
  try {
    return await work();
  } finally {
    const milliseconds = performance.now() - start;
    stop();
    const ops = profiler.take();
    writeNote(`\n${profileTable(ops, milliseconds, limitsOf(device, ops))}`);
  }
}

/** What the device gives; undefined if it cannot be measured any more, which must not hide why the work failed. */
function limitsOf(device: Backend, ops: readonly OpTime[]): Limits | undefined {
  try {
    return measureLimits(device, new Set(ops.map(({ arithmetic }) => arithmetic)));
  } catch {
    return undefined;
  }
}

/** A row: calls of one operation, or with one weight. */
interface Row {
  readonly title: string;
  readonly calls: number;
  readonly milliseconds: number;
  readonly bytes: number;
  /** Milliseconds that they would take at the limit. */
  readonly atLimit: number;
}

/** The table that `--profile` prints: the slowest operation first. */
export function profileTable(ops: readonly OpTime[], milliseconds: number, limits: Limits | undefined): string {
  const rows = new Map<string, Row>();
  for (const op of ops) {
    const row = rows.get(op.title) ?? { title: op.title, calls: 0, milliseconds: 0, bytes: 0, atLimit: 0 };
    rows.set(op.title, {
      title: op.title,
      calls: row.calls + op.calls,
      milliseconds: row.milliseconds + op.milliseconds,
      bytes: row.bytes + op.bytes,
      atLimit: row.atLimit + (limits ? atLimit(op, limits) : 0),
    });
  }
  const sorted = [...rows.values()].toSorted((a, b) => b.milliseconds - a.milliseconds);
  const sum = (of: (row: Row) => number): number => sorted.reduce((total, row) => total + of(row), 0);
  const inside = sum((row) => row.milliseconds);
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const time = (ms: number): string[] => [`${ms.toFixed(ms < 100 ? 2 : 0)} ms`, percent(ms / milliseconds)];
  const lines = [
    ["operation", "calls", "time", "share", "bytes", "of the limit"],
    ...sorted.map((row) => [
      row.title,
      `${row.calls}`,
      ...time(row.milliseconds),
      formatBytes(row.bytes),
      limits ? percent(row.atLimit / row.milliseconds) : "",
    ]),
    ["between operations", "", ...time(Math.max(0, milliseconds - inside)), "", ""],
    ["all", `${sum(({ calls }) => calls)}`, ...time(milliseconds), formatBytes(sum(({ bytes }) => bytes)), ""],
  ];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  const text = lines.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  return `${text.join("\n")}\n${limits ? explain(limits) : "limit: it could not be measured"}\n`;
}

/** Milliseconds that an operation would take at the limit that it meets first. */
function atLimit({ bytes, operations, arithmetic }: OpTime, limits: Limits): number {
  return Math.max(bytes / limits.bytes, operations / limits.operations[arithmetic]);
}

function explain({ bytes, operations }: Limits): string {
  const giga = (perMillisecond: number): string => (perMillisecond / 1e6).toFixed(1);
  const arithmetic = Object.entries(operations).filter(([, rate]) => rate < Infinity);
  return (
    `limit: the least time for an operation's bytes at ${giga(bytes)} GB/s, or for its arithmetic at ` +
    `${arithmetic.map(([kind, rate]) => `${giga(rate)} Gop/s (${kind})`).join(" and ")}, whichever is more; measured just now ` +
    "with the device's own products. Above 100 %: the operands were in a cache."
  );
}
