import { OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { GPT2Config } from "../model/config.ts";
import { weightsFor } from "../model/weights.ts";

/**
 * Which weights are trained, by name: all but those that a pattern matches, in which `*` stands for anything.
 *
 * @throws OptionError for a pattern that matches none, and if nothing is left
 */
export function trainedNames(config: GPT2Config, freeze: readonly string[]): ReadonlySet<string> {
  const names = weightsFor(config).map(({ name }) => name);
  const trained = new Set(names);
  for (const pattern of freeze) {
    const matches = names.filter((name) => expressionOf(pattern).test(name));
    if (matches.length === 0) {
      throw new OptionError(
        "freeze",
        `no weight is called ${showValue(pattern)}; there are ${names.slice(0, 6).join(", ")}, …`,
      );
    }
    for (const name of matches) trained.delete(name);
  }
  if (trained.size === 0) throw new OptionError("freeze", "nothing would be left to train");
  return trained;
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
