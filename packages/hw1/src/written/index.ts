import { gaussianAutoregressive } from "./gaussian-autoregressive.ts";
import { gaussianMixture } from "./gaussian-mixture.ts";
import { independence } from "./independence.ts";
import { jointTable } from "./joint-table.ts";
import { logMonteCarlo } from "./log-monte-carlo.ts";
import { markov } from "./markov.ts";
import { maximumLikelihood } from "./maximum-likelihood.ts";
import { monteCarlo } from "./monte-carlo.ts";
import type { WrittenProblem } from "./problem.ts";
import { sequenceTemperature } from "./sequence-temperature.ts";
import { tokenBits } from "./token-bits.ts";
import { vocabularyGrowth } from "./vocabulary-growth.ts";

export { type CheckResult, formatNumber, type WrittenProblem } from "./problem.ts";

/** The written problems, in the order of the problem sheet. */
export const writtenProblems: readonly WrittenProblem[] = [
  maximumLikelihood,
  gaussianMixture,
  jointTable,
  independence,
  markov,
  gaussianAutoregressive,
  monteCarlo,
  logMonteCarlo,
  tokenBits,
  vocabularyGrowth,
  sequenceTemperature,
];
