import { Command } from "commander";
import { interruptible, parseInteger, writeOut } from "gpt2-ts";
import { type CheckResult, formatNumber, writtenProblems } from "../written/index.ts";
import { checkSeed, DEFAULT_SEED } from "./options.ts";

/** `hw1 written`: each claim with the numbers that support it. */
export function writtenCommand(): Command {
  return new Command("written")
    .description("print the written problems: each claim with the numbers that support it")
    .option("--seed <integer>", "of the cases that the claims are checked on", parseInteger, DEFAULT_SEED)
    .addHelpText("after", "\nThe exit status is 1 if a check fails.")
    .action(({ seed }: { readonly seed: number }) => interruptible((signal) => printWritten(seed, signal)));
}

/** Prints the written problems to standard output. Throws an Error that names the claims that a check contradicts. */
export async function printWritten(seed: number, signal: AbortSignal): Promise<void> {
  checkSeed(seed);
  const failed: string[] = [];
  for (const { id, title, claim, differs, check } of writtenProblems) {
    signal.throwIfAborted();
    const checks = check(seed);
    const lines = [`${id} ${title}`, `  ${claim}`, ...checks.map(line)];
    if (differs !== undefined) lines.push(`  Differs from the answer sheet: ${differs}`);
    await writeOut(`${lines.join("\n")}\n\n`);
    if (checks.some(({ holds }) => !holds)) failed.push(id);
  }
  if (failed.length > 0) throw new Error(`the numbers contradict the claim of problem ${failed.join(", ")}`);
}

function line({ what, expected, got, tolerance, holds }: CheckResult): string {
  const within = tolerance ? ` ± ${formatNumber(tolerance)}` : "";
  return `  ${holds ? "✓" : "✗"} ${what}: ${show(got)} (expected ${show(expected)}${within})`;
}

function show(value: number | string): string {
  return typeof value === "number" ? formatNumber(value) : value;
}
