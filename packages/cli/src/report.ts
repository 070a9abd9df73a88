import { OptionError } from "@gpt2-ts/gpt2";

/**
 * What went wrong, on one line.
 *
 * @param mark what stands before the name of an option where users give it
 */
export function oneLine(problem: unknown, mark = "--"): string {
  let text = problem instanceof Error ? problem.message : String(problem);
  if (problem instanceof OptionError) text = `${mark}${flagOf(problem.option)}${text.slice(problem.option.length)}`;
  return text.replace(/\s*[\r\n]+\s*/g, " ").trim() || "failed without a reason";
}

/** `topK` → `top-k`. */
export function flagOf(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
