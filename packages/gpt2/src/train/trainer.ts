import {
  AdamW,
  clipScale,
  gradientNorm,
  type Schedule,
  type Tensor,
  valueAndGrad,
  warmupCosine,
} from "@gpt2-ts/tensor";
import { OptionError } from "@gpt2-ts/tensor/options";
import { checkTokenIds } from "../model/batch.ts";
import type { Model } from "../model/model.ts";
import { nextTurn } from "../model/pauses.ts";
import { namedWeights } from "../model/weights.ts";
import type { TokenIds, TrainingData } from "./data.ts";
import { withDropout } from "./dropout.ts";
import { TrainingError } from "./errors.ts";
import { trainedNames } from "./freeze.ts";
import { lossOf, trainingBatch } from "./loss.ts";
import { type ResolvedOptions, resolveOptions, type TrainingOptions } from "./options.ts";
import { DataOrder } from "./order.ts";

/** What a step did. */
export interface TrainingStep {
  /** Its number, from 1. */
  readonly step: number;
  /** The mean of −log p of its tokens, in nats, before the weights changed. */
  readonly loss: number;
  /** Of all gradients together, before they were clipped. */
  readonly gradientNorm: number;
  readonly learningRate: number;
}

/** How far a training has come, besides weights and running means. */
export interface TrainingPosition {
  /** Steps that were made. */
  readonly step: number;
  /** The step after which the held-out tokens were looked at last; undefined before the first look. */
  readonly evaluated: number | undefined;
  /** The lowest loss on the held-out tokens, and the step that had it. */
  readonly best: { readonly step: number; readonly loss: number } | undefined;
}

/**
 * A training, step by step: the model's weights are changed where they are. For all of it at once see `train`.
 *
 * Everything that a step needs is a function of the options and its number, but for the weights and the running means of AdamW: who
 * keeps {@link Trainer.state} and {@link Trainer.position} can go on from there with the same bits.
 */
export class Trainer {
  readonly model: Model;
  readonly options: ResolvedOptions;
  readonly #data: TrainingData;
  readonly #parameters: Readonly<Record<string, Tensor>>;
  readonly #optimizer: AdamW;
  readonly #schedule: Schedule;
  readonly #order: DataOrder;
  #position: TrainingPosition = { step: 0, evaluated: undefined, best: undefined };

  /**
   * @param model with float32 weights that are not packed: loaded with `trainable`, or made by `initialModel`
   * @throws OptionError; TokenIdError for data with tokens that the model does not have
   */
  constructor(model: Model, data: TrainingData, options: TrainingOptions = {}) {
    const { config } = model;
    this.model = model;
    this.options = resolveOptions(options, config, data);
    this.#data = data;
    const { context, steps, seed, freeze, beta1, beta2, learningRate, minLearningRate, warmupSteps, weightDecay } =
      this.options;
    if (data.heldOut.length === 1)
      throw new OptionError("heldOut", "the held-out text is a single token: there is nothing to predict");
    for (const ids of [data.train, data.heldOut]) checkTokenIds(model, ids);
    const trained = trainedNames(config, freeze);
    this.#parameters = Object.fromEntries(
      [...namedWeights(model)].flatMap(([{ name }, tensor]) => (trained.has(name) ? [[name, tensor]] : [])),
    );
    this.#optimizer = new AdamW(this.#parameters, { betas: [beta1, beta2], weightDecay });
    this.#schedule = warmupCosine({ learningRate, minLearningRate, warmupSteps, steps });
    this.#order = new DataOrder(data.train.length, context, seed);
  }

  get position(): TrainingPosition {
    return this.#position;
  }

  /** Whether all steps were made. */
  get finished(): boolean {
    return this.#position.step >= this.options.steps;
  }

  /**
   * The next step: gradients of its sequences, a part of them at a time, then one update of the weights.
   *
   * @throws TrainingError for a loss or gradients that are not finite; `signal.reason` when aborted. The weights are then unchanged
   */
  async step(signal?: AbortSignal): Promise<TrainingStep> {
    const { batchTokens, microBatchTokens, context, clip, dropout, seed } = this.options;
    const step = this.#position.step + 1;
    const first = (step - 1) * (batchTokens / context);
    let gradients: Readonly<Record<string, Tensor>> | undefined;
    let sum = 0;
    try {
      for (let done = 0; done < batchTokens; done += microBatchTokens) {
        signal?.throwIfAborted();
        const sequences: TokenIds[] = [];
        for (let at = done; at < Math.min(done + microBatchTokens, batchTokens); at += context) {
          const start = this.#order.start(first + at / context);
          sequences.push(this.#data.train.subarray(start, start + context + 1));
        }
        using batch = trainingBatch(this.model, sequences);
        const dropping = {
          model: this.model,
          batch: batch.batch,
          rate: dropout,
          seed,
          firstSequence: first + done / context,
        };
        const loss = () => withDropout(dropping, () => lossOf(this.model, batch, batchTokens));
        const computed = valueAndGrad(this.#parameters, loss, { into: gradients });
        gradients = computed.gradients;
        using value = computed.value;
        sum += await value.item();
        await nextTurn();
      }
      const norm = await gradientNorm(gradients!);
      if (!Number.isFinite(sum) || !Number.isFinite(norm)) {
        const what = Number.isFinite(sum) ? `the norm of the gradients is ${norm}` : `the loss is ${sum}`;
        throw new TrainingError(step, `${what}; a lower learning rate or a longer warm-up may help`);
      }
      const learningRate = this.#schedule(step);
      this.#optimizer.step(gradients!, { step, learningRate, gradientScale: clipScale(norm, clip) });
      this.#position = { ...this.#position, step };
      return { step, loss: sum, gradientNorm: norm, learningRate };
    } finally {
      for (const gradient of Object.values(gradients ?? {})) gradient.dispose();
    }
  }

  /**
   * The mean of −log p of the held-out tokens, in nats, each predicted from as many tokens before it as its window has.
   *
   * @returns undefined if there are none
   * @throws TrainingError for a loss that is not finite; `signal.reason` when aborted
   */
  async evaluate(signal?: AbortSignal): Promise<number | undefined> {
    const { microBatchTokens, context } = this.options;
    const windows = this.#heldOutWindows();
    const atOnce = microBatchTokens / context;
    const { step, best } = this.#position;
    let [sum, count] = [0, 0];
    for (let done = 0; done < windows.length; done += atOnce) {
      signal?.throwIfAborted();
      using batch = trainingBatch(this.model, windows.slice(done, done + atOnce));
      using value = lossOf(this.model, batch, 1);
      sum += await value.item();
      count += batch.batch.length;
      await nextTurn();
    }
    const loss = count === 0 ? undefined : sum / count;
    if (loss !== undefined && !Number.isFinite(loss))
      throw new TrainingError(step, `the loss of the held-out text is ${loss}`);
    const isBest = loss !== undefined && !(best !== undefined && best.loss <= loss);
    this.#position = { step, evaluated: step, best: isBest ? { step, loss } : best };
    return loss;
  }

  /** Weights, by name, and what AdamW has to remember of them, as `NAME.m` and `NAME.v`. The tensors themselves. */
  state(): Map<string, Tensor> {
    return new Map([...this.weights(), ...this.#optimizer.state()]);
  }

  /** The weights alone. */
  weights(): Map<string, Tensor> {
    return new Map(Array.from(namedWeights(this.model), ([{ name }, tensor]) => [name, tensor]));
  }

  /** Goes on from a state: after the tensors of {@link Trainer.state} were overwritten, by `copy_`. */
  resume(position: TrainingPosition): void {
    this.#position = position;
  }

  /** Frees what AdamW remembers; the model stays. */
  dispose(): void {
    this.#optimizer.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Windows over the held-out tokens, evenly spread if there are more than are looked at. */
  #heldOutWindows(): TokenIds[] {
    const { context, evalTokens } = this.options;
    const { heldOut } = this.#data;
    const all = Math.ceil((heldOut.length - 1) / context);
    const count = Math.min(all, Math.max(1, Math.floor(evalTokens / context)));
    return Array.from({ length: Math.max(0, count) }, (_, i) => {
      const start = Math.floor((i * all) / count) * context;
      return heldOut.subarray(start, start + context + 1);
    });
  }
}
