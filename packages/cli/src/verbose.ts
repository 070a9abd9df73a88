import type { GPT2, Usage } from "@gpt2-ts/gpt2";
import type { Command } from "commander";
import { amount } from "./amount.ts";
import { formatBytes } from "./progress.ts";

/** Adds `-v, --verbose`. */
export function addVerboseOption(command: Command): Command {
  return command.option(
    "-v, --verbose",
    "tell on standard error how long loading and the first token took, tokens a second, and memory",
  );
}

/** What loading took, as a line. */
export function describeLoading({ device }: GPT2, milliseconds: number): string {
  return `loading: ${duration(milliseconds)}, for device ${device.name}\n`;
}

/** What a continuation took, as a line. */
export function describeUsage({ promptTokens, generatedTokens, firstTokenTime, totalTime }: Usage): string {
  const first = firstTokenTime ?? totalTime;
  const rest = totalTime - first;
  const later = Math.max(0, generatedTokens - 1);
  const speed = later > 0 && rest > 0 ? `, then ${((later * 1000) / rest).toFixed(1)} tokens/s` : "";
  return `prompt: ${amount(promptTokens, "token")}; output: ${amount(generatedTokens, "token")}, the first after ${duration(first)}${speed}\n`;
}

/** The memory of this process, as a line. */
export function describeMemory(): string {
  const most = process.resourceUsage().maxRSS * 1024;
  return `memory: ${formatBytes(process.memoryUsage.rss())}, ${formatBytes(most)} at most\n`;
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}
