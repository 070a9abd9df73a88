import { DeviceError } from "@gpt2-ts/tensor";
import type { GPT2Config } from "../model/config.ts";
import { weightsFor } from "../model/weights.ts";
import { trainedNames } from "./freeze.ts";
import { sizesOfBatch, type TrainingOptions } from "./options.ts";

/** Bytes of a float32. */
const FLOAT = 4;
/** The most that a WebAssembly memory holds. */
const WASM_BYTES = 2 ** 32;

/** What training keeps in the device's memory, in bytes. */
export interface TrainingMemory {
  readonly weights: number;
  /** One number for each weight that is trained. */
  readonly gradients: number;
  /** AdamW's two. */
  readonly optimizer: number;
  /** What the backward pass needs of the forward pass, for the tokens that are computed at once. */
  readonly activations: number;
  /** What products need while they run: a matrix in another order, some rows of logits. */
  readonly work: number;
  readonly total: number;
}

/** Logits that exist at once. */
const LOGITS = 2 ** 24;

/**
 * How much memory training a model takes, as an estimate: 16 bytes for each parameter that is trained (4 for others), and per token
 * and block 16 times the channels: what both layer normalizations return (2 C), queries, keys and values (3 C), what the attention
 * gathered (1 C), both sides of the activation (8 C), and the residual stream after each half (2 C).
 *
 * @param of.tokens computed at once: `microBatchTokens`
 * @param of.isTrained which weights, by name; all of them by default
 */
export function trainingMemory(
  config: GPT2Config,
  { tokens, isTrained = () => true }: { readonly tokens: number; readonly isTrained?: (name: string) => boolean },
): TrainingMemory {
  let [all, trained, largest] = [0, 0, 0];
  for (const { name, shape } of weightsFor(config)) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    all += size;
    if (isTrained(name)) trained += size;
    largest = Math.max(largest, size);
  }
  const { nEmbd, nInner, nLayer, vocabSize } = config;
  const weights = FLOAT * all;
  const gradients = FLOAT * trained;
  const optimizer = 2 * FLOAT * trained;
  const activations = FLOAT * tokens * (nLayer * (8 * nEmbd + 2 * nInner) + 4 * nEmbd);
  const work = FLOAT * (largest + Math.min(LOGITS, tokens * vocabSize));
  return {
    weights,
    gradients,
    optimizer,
    activations,
    work,
    total: weights + gradients + optimizer + activations + work,
  };
}

/**
 * The same for a training with these options.
 *
 * @throws DeviceError if it is more than a WebAssembly memory holds: that is known before a model is loaded or made; OptionError
 */
export function checkTrainingMemory(config: GPT2Config, options: TrainingOptions = {}): TrainingMemory {
  const trained = trainedNames(config, options.freeze ?? []);
  const tokens = sizesOfBatch(options, config).microBatchTokens;
  const memory = trainingMemory(config, { tokens, isTrained: (name) => trained.has(name) });
  const { total, weights, gradients, optimizer, activations, work } = memory;
  if (total <= WASM_BYTES) return memory;
  const [all, state, passes] = [total, weights + gradients + optimizer, activations + work].map(
    (bytes) => `${(bytes / 1e9).toFixed(1)} GB`,
  );
  throw new DeviceError(
    "wasm",
    `training this model takes about ${all} (${state} for weights, gradients and AdamW, ${passes} for passes over ${tokens} tokens), ` +
      `and a WebAssembly memory holds ${(WASM_BYTES / 1e9).toFixed(1)} GB; freeze layers, or compute fewer tokens at once`,
  );
}
