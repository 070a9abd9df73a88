import type { Tolerance } from "../ops/compare.ts";
import type { Sample } from "../ops/generators.ts";
import type { JsonNumber, Operand } from "../ops/operands.ts";
import { toleranceOf } from "../ops/tolerances.ts";

/**
 * WGSL (§15.7, https://www.w3.org/TR/WGSL/#floating-point-evaluation) lets a device assume that there are no infinities
 * and NaNs, and flush numbers below 2⁻¹²⁶. Neither belongs to what the GPU promises, so samples hold neither, nor numbers
 * whose square or cube overflows.
 */
const LARGEST = 2 ** 40;
/** exp of more overflows; quotients by 0 and roots and logarithms of less than nothing are no numbers. */
const largestFor: Readonly<Record<string, number>> = { exp: 80 };
const withoutZero = new Set(["div", "reciprocal", "log", "sqrt", "rsqrt"]);
const withoutNegative = new Set(["log", "sqrt", "rsqrt"]);

/** A sample without numbers that the GPU promises nothing for. */
export function tame({ inputs, args }: Sample, op: string): Sample {
  const most = largestFor[op] ?? LARGEST;
  const plain = (x: JsonNumber): JsonNumber => {
    const value = Number(x);
    if (value === 0) return withoutZero.has(op) ? 1 : 0;
    if (value < 0 && withoutNegative.has(op)) return plain(-value);
    return Math.abs(value) <= most && Math.abs(value) >= 1 / LARGEST ? value : 1.5;
  };
  const tamed = inputs.map(
    (input): Operand => (input.dtype === "float32" ? { ...input, data: input.data.map(plain) } : input),
  );
  return { inputs: tamed, args };
}

/**
 * Beyond the reference's tolerances, what WGSL asks of a device (§15.7.3): 2.5 ulps for a quotient; exp within
 * 3 + 2·|x| ulps; log within 3 ulps, or 2⁻²¹ between ½ and 2; a square root as 1/inverseSqrt(x), 2 ulps and a quotient.
 */
const wider: Readonly<Record<string, Tolerance>> = {
  div: { ulps: 3 },
  reciprocal: { ulps: 3 },
  sqrt: { ulps: 6 },
  rsqrt: { ulps: 8 },
  exp: { ulps: 170 }, // |x| up to 80
  log: { ulps: 4, abs: 2 ** -21 },
  tanh: { ulps: 16 },
  sigmoid: { ulps: 24, abs: 2 ** -120 },
  gelu: { ulps: 24, abs: 2 ** -22 },
  geluExact: { ulps: 24, abs: 2 ** -22 },
  silu: { ulps: 24, abs: 2 ** -22 },
  quickGelu: { ulps: 24, abs: 2 ** -22 },
  softmax: { ulps: 64, abs: 2 ** -120 },
  logSoftmax: { ulps: 8, abs: 2e-6 },
  logSumExp: { ulps: 8, abs: 2e-6 },
  targetLogProbs: { ulps: 16, abs: 5e-5 },
  attention: { ulps: 32, abs: 4e-6 },
  attentionWeights: { ulps: 128, abs: 1e-6 },
};

export function gpuTolerance(op: string): Tolerance {
  return wider[op] ?? { ...toleranceOf(op), anyZero: true };
}
