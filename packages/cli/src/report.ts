import { OptionError } from "@gpt2-ts/gpt2";

/** What went wrong, on one line; options are named as on the command line. */
export function oneLine(problem: unknown): string {
  let text = problem instanceof Error ? problem.message : String(problem);
  if (problem instanceof OptionError) text = `--${flagOf(problem.option)}${text.slice(problem.option.length)}`;
  return text.replace(/\s*[\r\n]+\s*/g, " ").trim() || "failed without a reason";
}

/** `topK` → `top-k`. */
function flagOf(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
