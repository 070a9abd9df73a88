export type { CourseData, StringSet } from "./data.ts";
export type {
  ClassificationResults,
  HorizonCosts,
  Hw1Results,
  LikelihoodResults,
  ModelSummary,
  RocPoint,
  Sample,
  SampleRun,
  SetLikelihoods,
  TokenStrip,
} from "./results.ts";
