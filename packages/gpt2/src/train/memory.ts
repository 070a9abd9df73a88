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
  /** What comes and goes: logits and gradients by what layers return, operands of products in another order. */
  readonly work: number;
  readonly total: number;
}

/** What a training computes at once, and what it needs for that. */
export interface TrainingLoad {
  /** `microBatchTokens` */
  readonly tokens: number;
  /** Which weights are trained, by name. Default: all. */
  readonly isTrained?: ((name: string) => boolean) | undefined;
  /** Whether there is dropout, whose masks are kept. Default: no. */
  readonly dropout?: boolean | undefined;
}

/** Logits that are kept for the backward pass, if there are no more; and those that are worked on at once. */
const [KEPT_LOGITS, LOGITS_AT_ONCE] = [2 ** 26, 2 ** 21];

/**
 * How much memory training a model takes, as an estimate: 16 bytes for each parameter that is trained (4 for others), and per token
 * and block 16 times the channels: what both layer normalizations return (2 C), queries, keys and values (3 C), what the attention
 * gathered (1 C), both sides of the activation (8 C), and the residual stream after each half (2 C).
 *
 * It is what there is when gradients are added up over the parts of a step. A step of one part takes a fifth less at most: there,
 * gradients come to be while activations go.
 */
export function trainingMemory(config: GPT2Config, load: TrainingLoad): TrainingMemory {
  const { tokens, isTrained = () => true, dropout = false } = load;
  let [all, trained] = [0, 0];
  for (const { name, shape } of weightsFor(config)) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    all += size;
    if (isTrained(name)) trained += size;
  }
  const { nEmbd: C, nInner: F, vocabSize: V } = config;
  const weights = FLOAT * all;
  const gradients = FLOAT * trained;
  const optimizer = 2 * FLOAT * trained;
  const masks = dropout ? C : 0;
  const depth = trainedDepth(config, isTrained);
  const activations = FLOAT * tokens * (depth * (8 * C + 2 * F + 2 * masks) + 2 * C + masks);
  const atOnce = Math.min(tokens * V, LOGITS_AT_ONCE);
  const kept = tokens * V <= KEPT_LOGITS ? tokens * V : atOnce;
  const ofLogits = kept + atOnce + 2 * tokens * C;
  const ofMLP = 2 * tokens * (F + C) + F * C;
  const work = FLOAT * Math.max(ofLogits, ofMLP);
  return {
    weights,
    gradients,
    optimizer,
    activations,
    work,
    total: weights + gradients + optimizer + activations + work,
  };
}

/** Blocks that gradients go back through: those from the first on that has, or follows, a weight that is trained. */
function trainedDepth(config: GPT2Config, isTrained: (name: string) => boolean): number {
  const names = weightsFor(config)
    .map(({ name }) => name)
    .filter(isTrained);
  if (names.some((name) => /^w[tp]e\./.test(name))) return config.nLayer;
  const blocks = names.flatMap((name) => /^h\.(\d+)\./.exec(name)?.[1] ?? []).map(Number);
  return config.nLayer - Math.min(config.nLayer, ...blocks);
}

/**
 * The same for a training with these options.
 *
 * @throws DeviceError if it is more than a WebAssembly memory holds: that is known before a model is loaded or made; OptionError
 */
export function checkTrainingMemory(config: GPT2Config, options: TrainingOptions = {}): TrainingMemory {
  const trained = trainedNames(config, options.freeze ?? []);
  const tokens = sizesOfBatch(options, config).microBatchTokens;
  const dropout = (options.dropout ?? 0) > 0;
  const memory = trainingMemory(config, { tokens, isTrained: (name) => trained.has(name), dropout });
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
