// Python's pickles, read without running anything: the reader of checkpoints that PyTorch wrote, for other files too. Node only.
export { PickleError } from "./errors.ts";
export { readPickle } from "./machine.ts";
export type { Fail, PicklePolicy, PickleValue } from "./policy.ts";
