import { cos } from "../backends/reference/math.ts";
import { checkOptionNames } from "../options.ts";
import { checkNumber, isAtLeastZero } from "./checks.ts";

/** A learning rate as a function of the step, from 1. */
export type Schedule = (step: number) => number;

export interface WarmupCosineOptions {
  /** The highest one, which the warm-up ends with. */
  readonly learningRate: number;
  /** The one that the last step has. Default: a tenth of the highest. */
  readonly minLearningRate?: number | undefined;
  /** Steps in which it rises in a line. Default: 0. */
  readonly warmupSteps?: number | undefined;
  /** All steps, the warm-up among them. */
  readonly steps: number;
}

/**
 * A learning rate that rises from nearly 0 in a line, and then falls along half a cosine (Loshchilov, Hutter, 2017,
 * https://arxiv.org/abs/1608.03983): what GPT-2 and its kin are trained with. A function of the step alone, the same in every engine.
 */
export function warmupCosine(options: WarmupCosineOptions): Schedule {
  checkOptionNames(options, ["learningRate", "minLearningRate", "warmupSteps", "steps"], "warmupCosine");
  const { learningRate, minLearningRate = learningRate / 10, warmupSteps = 0, steps } = options;
  checkNumber("learningRate", learningRate, "a number from 0", isAtLeastZero);
  checkNumber(
    "minLearningRate",
    minLearningRate,
    `a number from 0 to ${learningRate}`,
    (value) => value >= 0 && value <= learningRate,
  );
  checkNumber("steps", steps, "an integer from 1", (value) => Number.isSafeInteger(value) && value >= 1);
  checkNumber(
    "warmupSteps",
    warmupSteps,
    `an integer from 0 to ${steps}`,
    (value) => Number.isSafeInteger(value) && value >= 0 && value <= steps,
  );
  return (step) => {
    if (step <= warmupSteps) return (learningRate * step) / warmupSteps;
    if (step >= steps) return minLearningRate;
    const done = (step - warmupSteps) / (steps - warmupSteps);
    return minLearningRate + ((learningRate - minLearningRate) * (1 + cos(Math.PI * done))) / 2;
  };
}
