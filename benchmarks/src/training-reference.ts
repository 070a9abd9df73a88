/** Steps of training as PyTorch takes them, kept in `reference/training-*.json`; `reference/training.py` wrote them and says how. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Model, namedWeights } from "@gpt2-ts/gpt2";
import { lossOf, trainingBatch } from "@gpt2-ts/gpt2/train";
import { AdamW, clipScale, gradientNorm, valueAndGrad, warmupCosine } from "@gpt2-ts/tensor";
import { REFERENCE } from "./paths.ts";
import { fnv1a, lowbias32, type SyntheticName } from "./synthetic.ts";

/** A gradient, as told from another one: its Euclidean norm, and eight projections on vectors of ±1. */
interface GradientMarks {
  readonly norm: number;
  readonly projections: readonly number[];
}

export interface TrainingReference {
  /** Tokens of each sequence of a step, without the one that is a target only. */
  readonly sequences: readonly number[];
  readonly schedule: Parameters<typeof warmupCosine>[0];
  readonly adamW: {
    readonly betas: readonly [number, number];
    readonly epsilon: number;
    readonly weightDecay: number;
  };
  readonly clip: number;
  readonly steps: readonly {
    readonly learningRate: number;
    readonly loss: number;
    /** Of all gradients together, before clipping. */
    readonly norm: number;
    readonly gradients?: Readonly<Record<string, GradientMarks>>;
  }[];
}

/** How far a step was from PyTorch's. */
export interface StepErrors {
  /** From 1. */
  readonly step: number;
  readonly loss: number;
  /** Absolute, in nats. */
  readonly lossError: number;
  /** Relative. */
  readonly normError: number;
  /** The largest errors among the gradients, relative to the norm of each. Undefined for steps whose gradients are not kept. */
  readonly gradients: { readonly norm: GradientError; readonly projection: GradientError } | undefined;
}

export interface GradientError {
  readonly error: number;
  readonly tensor: string;
}

export async function readTrainingReference(name: SyntheticName): Promise<TrainingReference> {
  return JSON.parse(await readFile(join(REFERENCE, `training-${name}.json`), "utf8"));
}

/** Takes the steps of a reference, and compares each. @param model with weights that can be trained; they are changed */
export async function* compareSteps(model: Model, reference: TrainingReference): AsyncGenerator<StepErrors> {
  const weights = Object.fromEntries(Array.from(namedWeights(model), ([{ name }, tensor]) => [name, tensor]));
  const rate = warmupCosine(reference.schedule);
  using optimizer = new AdamW(weights, reference.adamW);
  for (const [i, expected] of reference.steps.entries()) {
    const step = i + 1;
    const sequences = reference.sequences.map((length, j) => trainingTokens(i, j, length, model.config.vocabSize));
    using batch = trainingBatch(model, sequences);
    const { value, gradients } = valueAndGrad(weights, () => lossOf(model, batch));
    using loss = value;
    const found = await loss.item();
    const norm = await gradientNorm(gradients);
    yield {
      step,
      loss: found,
      lossError: Math.abs(found - expected.loss),
      normError: Math.abs(norm - expected.norm) / expected.norm,
      gradients: expected.gradients && (await largestErrors(gradients, expected.gradients)),
    };
    optimizer.step(gradients, { step, learningRate: rate(step), gradientScale: clipScale(norm, reference.clip) });
    for (const gradient of Object.values(gradients)) gradient.dispose();
  }
}

/** Sequence `sequence` of step `step` (from 0), with the token behind it. */
export function trainingTokens(step: number, sequence: number, length: number, vocab: number): Int32Array {
  const first = 4096 * (16 * step + sequence);
  return Int32Array.from({ length: length + 1 }, (_, i) => lowbias32(first + i) % vocab);
}

async function largestErrors(
  gradients: Readonly<Record<string, { data(): Promise<Float32Array> }>>,
  expected: Readonly<Record<string, GradientMarks>>,
): Promise<NonNullable<StepErrors["gradients"]>> {
  let norm = none;
  let projection = none;
  for (const [tensor, marks] of Object.entries(expected)) {
    const found = marksOf(tensor, await gradients[tensor]!.data());
    norm = larger(norm, { tensor, error: Math.abs(found.norm - marks.norm) / marks.norm });
    for (const [k, value] of marks.projections.entries()) {
      const error = Math.abs((found.projections[k] ?? Number.NaN) - value) / marks.norm;
      projection = larger(projection, { tensor, error });
    }
  }
  return { norm, projection };
}

const none: GradientError = { tensor: "", error: 0 };

/** NaN is the largest of all. */
function larger(a: GradientError, b: GradientError): GradientError {
  return b.error <= a.error || Number.isNaN(a.error) ? a : b;
}

/** The norm and the projections of a gradient, summed in float64. */
export function marksOf(name: string, gradient: Float32Array): GradientMarks {
  const seed = fnv1a(`projection ${name}`);
  let squares = 0;
  let [p0, p1, p2, p3, p4, p5, p6, p7] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < gradient.length; i++) {
    const g = gradient[i]!;
    const bits = lowbias32((i + seed) >>> 0) >>> 24;
    squares += g * g;
    p0 += bits & 1 ? g : -g;
    p1 += bits & 2 ? g : -g;
    p2 += bits & 4 ? g : -g;
    p3 += bits & 8 ? g : -g;
    p4 += bits & 16 ? g : -g;
    p5 += bits & 32 ? g : -g;
    p6 += bits & 64 ? g : -g;
    p7 += bits & 128 ? g : -g;
  }
  return { norm: Math.sqrt(squares), projections: [p0, p1, p2, p3, p4, p5, p6, p7] };
}
