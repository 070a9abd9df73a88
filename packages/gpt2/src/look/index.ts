export {
  type Choice,
  type Contribution,
  type ContributionOptions,
  type Contributions,
  contributions,
} from "./contributions.ts";
export { type Changes, type Hook, type Hooks, hookAt } from "./hooks.ts";
export { type Candidate, type LensLayer, type LogitLens, type LogitLensOptions, logitLens } from "./lens.ts";
export { MODEL_HASH } from "./lines.table.ts";
export { type Looked, type LookOptions, run } from "./pass.ts";
export { type Axis, type Place, placesOf } from "./places.ts";
export type { Slice } from "./slice.ts";
export { startHooks } from "./started.ts";
export { type Trace, type TracedValue, type TraceOptions, trace } from "./trace.ts";
