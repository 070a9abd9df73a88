/** One of GPT-2's blocks, forward and backward, as every engine computes it: what they get, and what they give. */
import { lowbias32 } from "../synthetic.ts";

export interface BlockShape {
  /** Tokens, channels and heads. */
  readonly T: number;
  readonly C: number;
  readonly H: number;
}

/** A tensor of float32, row-major. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The order in which engines give the gradients; matrices are `[in, out]`. */
export const BLOCK_WEIGHTS = [
  ...["ln_1.weight", "ln_1.bias", "c_attn.weight", "c_attn.bias", "attn.c_proj.weight", "attn.c_proj.bias"],
  ...["ln_2.weight", "ln_2.bias", "c_fc.weight", "c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"],
] as const;

/** The loss is the sum of the block's output `[T, C]` times `cotangent`; gradients are those of `x` and then of the weights. */
export interface Block {
  readonly shape: BlockShape;
  readonly x: Values;
  readonly weights: readonly Values[];
  readonly cotangent: Values;
}

/** A block whose operands are where the engine wants them. */
export interface PreparedBlock {
  /** Computes the loss and all gradients, and waits until all of them are there. */
  run(): Promise<number>;
  /** The Euclidean norms of the last run's gradients. */
  norms(): Promise<number[]>;
}

export interface BlockEngine {
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  prepare(block: Block): Promise<PreparedBlock>;
}

/** How an engine is started. */
export interface BlockSpec {
  readonly engine: "gpt2-ts" | "jax-js" | "tfjs" | "PyTorch";
  /** The JavaScript peers have one thread in Node in any case. */
  readonly threads: number;
  readonly python?: string;
}

/** The same numbers for every engine: of about the size that a fresh model has. */
export function makeBlock(shape: BlockShape): Block {
  const { T, C } = shape;
  const shapes: readonly (readonly number[])[] = [
    ...[[C], [C], [C, 3 * C], [3 * C], [C, C], [C]],
    ...[[C], [C], [C, 4 * C], [4 * C], [4 * C, C], [C]],
  ];
  return {
    shape,
    x: noise([T, C], 1, 0, 2),
    cotangent: noise([T, C], 2, 0, 2 / Math.sqrt(T * C)),
    weights: BLOCK_WEIGHTS.map((name, n) => {
      const [rows = 0, columns] = shapes[n] ?? [];
      const isGain = name.startsWith("ln_") && name.endsWith(".weight");
      const spread = columns === undefined ? 0.2 : Math.sqrt(12 / rows);
      return noise(shapes[n] ?? [], 3 + n, isGain ? 1 : 0, spread);
    }),
  };
}

/** Values in mean ± spread / 2. */
function noise(shape: readonly number[], seed: number, mean: number, spread: number): Values {
  const length = shape.reduce((product, size) => product * size, 1);
  const value = (i: number): number =>
    mean + spread * (lowbias32((i + Math.imul(seed, 0x9e3779b9)) >>> 0) / 2 ** 32 - 0.5);
  return { shape, data: Float32Array.from({ length }, (_, i) => value(i)) };
}

export function normOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? Number.NaN) ** 2;
  return Math.sqrt(sum);
}
