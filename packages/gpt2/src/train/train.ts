import { checkOptionNames } from "@gpt2-ts/tensor/options";
import type { Model } from "../model/model.ts";
import type { TrainingData } from "./data.ts";
import { type TrainingOptions, trainingOptionNames } from "./options.ts";
import { Trainer, type TrainingPosition, type TrainingStep } from "./trainer.ts";

/** What a training tells as it goes. */
export type TrainingProgress =
  | (TrainingStep & {
      readonly type: "step";
      readonly steps: number;
      /** Of this step. */
      readonly tokensPerSecond: number;
      /** Until the last step, if it goes on so. */
      readonly secondsLeft: number;
    })
  | {
      readonly type: "evaluation";
      /** The steps made before it. */
      readonly step: number;
      /** The mean of −log p of the held-out tokens, in nats; undefined if there are none. */
      readonly heldOutLoss: number | undefined;
      /** Whether it is the lowest so far. */
      readonly best: boolean;
    };

export interface TrainOptions extends TrainingOptions {
  /** Called after every step and every look at the held-out tokens, and waited for. */
  readonly onProgress?: ((progress: TrainingProgress) => void | Promise<void>) | undefined;
  /** Stops between two passes: `train` then throws the signal's reason, and the model is what the last whole step made of it. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of a training. */
export interface TrainResult extends TrainingPosition {
  /** The mean loss of the last step; undefined if there was none. */
  readonly loss: number | undefined;
  /** The loss of the held-out tokens at the end. */
  readonly heldOutLoss: number | undefined;
}

/**
 * Trains a model on tokens, in place.
 *
 *     using gpt2 = await GPT2.load("weights/stories", { trainable: true });
 *     const { ids } = await encodeDocuments([text], gpt2.tokenizer);
 *     await train(gpt2.model, holdOut(ids, 0.1), { steps: 100, learningRate: 3e-5 });
 *
 * The same options, data and model give the same bits, whatever the number of threads; with a `deterministic` device in every engine.
 *
 * @throws OptionError; TrainingError when the loss is not finite; `signal.reason` when aborted
 */
export async function train(model: Model, data: TrainingData, options: TrainOptions = {}): Promise<TrainResult> {
  const { onProgress, signal, ...training } = options;
  checkOptionNames(training, [...trainingOptionNames, "onProgress", "signal"]);
  using trainer = new Trainer(model, data, training);
  let [loss, heldOutLoss]: (number | undefined)[] = [];
  for await (const progress of progressOf(trainer, signal)) {
    if (progress.type === "step") loss = progress.loss;
    else heldOutLoss = progress.heldOutLoss;
    await onProgress?.(progress);
  }
  return { ...trainer.position, loss, heldOutLoss };
}

/** Share of the latest step in the mean that the time left is told by. */
const RECENT = 0.1;

/** Runs what is left of a training; what is done with the model between two of its results is up to the caller. */
export async function* progressOf(
  trainer: Trainer,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingProgress, void> {
  const { steps, evalEvery, batchTokens } = trainer.options;
  let mean: number | undefined; // seconds
  while (true) {
    const { step, evaluated } = trainer.position;
    if (evaluated !== step && (step % evalEvery === 0 || trainer.finished)) {
      const heldOutLoss = await trainer.evaluate(signal);
      yield { type: "evaluation", step, heldOutLoss, best: trainer.position.best?.step === step };
    }
    if (trainer.finished) return;
    const began = performance.now();
    const made = await trainer.step(signal);
    const seconds = (performance.now() - began) / 1000;
    mean = mean === undefined ? seconds : mean + RECENT * (seconds - mean);
    yield {
      type: "step",
      ...made,
      steps,
      tokensPerSecond: batchTokens / seconds,
      secondsLeft: mean * (steps - made.step),
    };
  }
}
