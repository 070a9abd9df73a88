import { OptionError } from "@gpt2-ts/gpt2";

/** What went wrong, on a single line; options are named as the command line has them. */
export function oneLine(problem: unknown): string {
  let text = problem instanceof Error ? problem.message : String(problem);
  if (problem instanceof OptionError) text = `--${flagOf(problem.option)}${text.slice(problem.option.length)}`;
  return text.replace(/\s*[\r\n]+\s*/g, " ").trim() || "it failed without saying why";
}

/** `topK` → `top-k`. */
function flagOf(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
