import { checkInteger, type GPT2, type LanguageModel, OptionError } from "@gpt2-ts/gpt2";
import { GPT2Worker } from "@gpt2-ts/gpt2/worker";
import { findModel } from "../find-model.ts";
import { loadFrom, type ModelFlags, printWarning } from "../model-options.ts";

/** Each job has a model of its own: more than this no machine's memory holds. */
const MOST_JOBS = 256;

/** Models that score at the same time. */
export interface Models extends Disposable {
  readonly all: readonly LanguageModel[];
  /** The model, if there is one and it runs in this thread. */
  readonly own: GPT2 | undefined;
}

/**
 * One model in this thread, or, for several jobs, one in a worker each, on one thread unless told otherwise.
 *
 * @throws OptionError, and what loading throws
 */
export async function loadModels(flags: ModelFlags, jobs: number, signal: AbortSignal): Promise<Models> {
  checkInteger("jobs", jobs, 1, MOST_JOBS);
  if (jobs === 1) {
    const own = await loadFrom(flags, signal);
    return { all: [own], own, [Symbol.dispose]: () => own.dispose() };
  }
  if (flags.device === "gpu") throw new OptionError("jobs", "expected 1 with the gpu device, which all would share");
  const folder = await findModel(flags, signal);
  const { device, threads = 1, deterministic, dtype, cacheDtype } = flags;
  const loads = Array.from({ length: jobs }, (_, job) =>
    GPT2Worker.load(folder, {
      ...{ device, threads, deterministic, dtype, cacheDtype, signal },
      onWarning: job === 0 ? printWarning : () => {},
    }),
  );
  const outcomes = await Promise.allSettled(loads);
  const all = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const dispose = (): void => {
    for (const model of all) model.dispose();
  };
  const failed = outcomes.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  if (failed) {
    dispose();
    throw failed.reason;
  }
  return { all, own: undefined, [Symbol.dispose]: dispose };
}
