import type { Tolerance } from "./compare.ts";

const EPSILON = 2 ** -24;

/** IEEE 754 asks for the one nearest result, and moves of elements and whole numbers leave no choice. */
const exact = new Set([
  ...[
    "add",
    "sub",
    "mul",
    "div",
    "truncDiv",
    "mod",
    "neg",
    "abs",
    "square",
    "sqrt",
    "reciprocal",
    "floor",
    "ceil",
    "round",
    "cast",
  ],
  ...[
    "where",
    "maskedFill",
    "copy",
    "gather",
    "scatter",
    "embedding",
    "concat",
    "tril",
    "triu",
    "reshape",
    "transpose",
  ],
  ...["permute", "slice", "select", "squeeze", "unsqueeze", "expand", "split", "sort", "topK", "argMax", "argMin"],
  ...["eq", "ne", "lt", "le", "gt", "ge", "logicalAnd", "logicalOr", "logicalNot", "isNaN", "any", "all"],
]);

/** Exact too, but nothing says which zero comes of 0 and −0. */
const exactButZero = new Set(["maximum", "minimum", "max", "min", "relu", "sign"]);

/** Functions that float32 kernels approximate: a few ulps each. */
const approximate: Readonly<Record<string, Tolerance>> = {
  rsqrt: { ulps: 2 }, // a square root and a division, each rounded
  exp: { ulps: 2, abs: 2 ** -126 },
  expm1: { ulps: 2 },
  log: { ulps: 2 },
  log1p: { ulps: 2 },
  log2: { ulps: 2 },
  sin: { ulps: 4, abs: EPSILON }, // absolute near multiples of π
  cos: { ulps: 4, abs: EPSILON },
  tanh: { ulps: 2 },
  sigmoid: { ulps: 4, abs: 2 ** -126 },
  erf: { ulps: 2 },
  pow: { ulps: 16 },
  gelu: { ulps: 8, abs: EPSILON }, // ½x(1 + tanh u): absolute where 1 + tanh u cancels
  geluExact: { ulps: 8, abs: EPSILON },
  silu: { ulps: 5, abs: 2 ** -119 }, // the tail of sigmoid, times up to 100
  quickGelu: { ulps: 8, abs: EPSILON }, // e^(1.702x) magnifies the rounding of its exponent
};

/**
 * Sums of n terms lie within about n·ε·Σ|term| of the exact one, ε = 2⁻²⁴. Tests keep n·|term| in the
 * hundreds and rounding errors mostly cancel, so 10⁻⁵ is a wide margin; a wrong term is off by far more.
 */
const summed: Readonly<Record<string, Tolerance>> = {
  sum: { ulps: 8, abs: 1e-5 },
  mean: { ulps: 8, abs: 1e-5 },
  cumsum: { ulps: 8, abs: 1e-4 },
  prod: { ulps: 64 }, // each factor rounds once
  logSumExp: { ulps: 8, abs: 1e-6 },
  softmax: { ulps: 8, abs: 2 ** -120 }, // e^(x − m) magnifies the rounding of x − m
  logSoftmax: { ulps: 8, abs: 1e-6 },
  layerNorm: { ulps: 64, abs: 1e-5 },
  matmul: { ulps: 16, abs: 2e-5 },
  linear: { ulps: 16, abs: 2e-5 },
  targetLogProbs: { ulps: 16, abs: 4e-5 }, // a difference of two logits
  attention: { ulps: 16, abs: 2e-6 },
  attentionWeights: { ulps: 64, abs: 1e-7 },
  scatterAdd: { ulps: 8, abs: 1e-5 },
};

/** How far a float32 backend's result may lie from the float64 one. Throws for an op that has no tolerance yet. */
export function toleranceOf(op: string): Tolerance {
  if (exact.has(op)) return { ulps: 0 };
  if (exactButZero.has(op)) return { ulps: 0, anyZero: true };
  const tolerance = approximate[op] ?? summed[op];
  if (!tolerance) throw new Error(`add a tolerance for ${op} to tolerances.ts`);
  return tolerance;
}
