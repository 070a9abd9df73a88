import { fileURLToPath } from "node:url";
import { type Backend, type DeviceChoice, fromData, Generator, randn } from "@gpt2-ts/tensor";
import { open } from "safetensors-ts";
import type { Model } from "../../src/model/model.ts";
import { buildWeights, sizesOf } from "../../src/model/weights.ts";

/** The model of the reference logits. */
export const SHAKESPEARE = fileURLToPath(new URL("../../../../weights/shakespeare", import.meta.url));

const REFERENCE = fileURLToPath(new URL("../../../../benchmarks/reference/shakespeare.safetensors", import.meta.url));

/** What PyTorch computed with the Shakespeare model in float64, for prompt A (36 tokens) or B (256, the whole context). */
export interface ReferenceValues {
  readonly ids: readonly number[];
  /** `[T, 1024]`. */
  readonly logits: Float32Array;
  /** `[T - 1]`. */
  readonly logprobs: Float32Array;
}

export async function referenceValues(prompt: "A" | "B"): Promise<ReferenceValues> {
  await using file = await open(REFERENCE);
  const ids = await file.read(`${prompt}.ids`);
  const logits = await file.readFloat32(`${prompt}.logits`);
  const logprobs = await file.readFloat32(`${prompt}.logprobs`);
  return { ids: Array.from(ids.data as Int32Array), logits, logprobs };
}

interface Shape {
  readonly nLayer: number;
  readonly nHead: number;
  readonly nEmbd: number;
  readonly nPositions: number;
  readonly vocabSize: number;
}

/** A small model with random weights. */
export function randomModel(device: DeviceChoice | Backend, shape: Shape): Model {
  const config = { ...shape, nInner: 4 * shape.nEmbd, ...rest };
  const seed = new Generator(7);
  const weights = buildWeights(config, (weight) => randn(weight.shape, { seed, device }));
  return { config, sizes: sizesOf(config), weights, cacheDtype: "f32" };
}

/**
 * A model that says what it is told to: after position p the token `script[p]` is by far the likeliest. It has no blocks;
 * each position's embedding is a direction of its own, which its token's row of the output layer points along.
 */
export function scriptedModel(script: readonly number[], vocabSize: number): Model {
  const device = "reference";
  const nPositions = script.length;
  const shape = { nLayer: 0, nHead: 1, nEmbd: nPositions, nPositions, vocabSize };
  const config = { ...shape, nInner: 4 * nPositions, ...rest, tieWordEmbeddings: false };
  const sizes = sizesOf(config);
  const { C, V, positions } = sizes;
  const identity = new Float32Array(nPositions * nPositions);
  const directions = new Float32Array(vocabSize * nPositions);
  for (const [position, id] of script.entries()) {
    identity[position * nPositions + position] = 1;
    directions[id * nPositions + position] = 100;
  }
  const wte = fromData(new Float32Array(vocabSize * nPositions), [V, C], { device });
  return {
    config,
    sizes,
    cacheDtype: "f32",
    weights: {
      wte,
      wpe: fromData(identity, [positions, C], { device }),
      h: [],
      lnF: {
        weight: fromData(new Float32Array(nPositions).fill(1), [C], { device }),
        bias: fromData(new Float32Array(nPositions), [C], { device }),
      },
      lmHead: fromData(directions, [V, C], { device }),
    },
  };
}

const rest = {
  activation: "gelu",
  layerNormEpsilon: 1e-5,
  scaleAttnWeights: true,
  scaleAttnByInverseLayerIdx: false,
  tieWordEmbeddings: true,
  bosTokenId: undefined,
  eosTokenIds: [],
} as const;

/** The largest difference between two rows of numbers. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference; // NaN counts
  }
  return largest;
}
