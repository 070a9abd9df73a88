export {
  accuracy,
  areaUnder,
  chooseThreshold,
  isRandom,
  likelihoodsPerCharacter,
  rocCurve,
  THRESHOLD_RULE,
} from "./classifier.ts";
export type { CourseData, CoursePart, StringSet } from "./data/course-data.ts";
export { DataError, PickleError } from "./data/errors.ts";
export { type Paper, readPapers } from "./data/papers.ts";
export { type PickleValue, readPickle } from "./data/pickle.ts";
export { type LabelledTexts, readTexts } from "./data/texts.ts";
export { loadCourseData } from "./data.ts";
export { type LikelihoodOptions, logLikelihood, logLikelihoods, perCharacter } from "./likelihood.ts";
export { writeReport } from "./report.ts";
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
export { type Sampled, type SampleOptions, sample, sampleTokens } from "./sample.ts";
export {
  type Horizon2TopK,
  type Lookahead,
  type TwoTokenOptions,
  temperatureScale,
  twoTokenScale,
} from "./temperature.ts";
export { type CheckResult, type WrittenProblem, writtenProblems } from "./written/index.ts";
