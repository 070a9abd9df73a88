import { defineOp, type Op, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { castKernel, unaryKernel } from "../backends/reference/elementwise.ts";
import * as math from "../backends/reference/math.ts";
import type { DType } from "../dtype.ts";
import { expectDType, expectTensor } from "./checks.ts";

// Functions of one operand, element by element.

export const negOp = /* @__PURE__ */ defineOp(
  "neg",
  /* @__PURE__ */ unaryKernel((x) => -x),
);
/** −x, of float32 or int32. */
export function neg(x: View): View {
  return unary(negOp, x, "int32");
}

export const absOp = /* @__PURE__ */ defineOp("abs", /* @__PURE__ */ unaryKernel(Math.abs));
/** |x|, of float32 or int32. */
export function abs(x: View): View {
  return unary(absOp, x, "int32");
}

export const signOp = /* @__PURE__ */ defineOp("sign", /* @__PURE__ */ unaryKernel(Math.sign));
/** −1, 0 or 1 (±0 and NaN stay), of float32 or int32. */
export function sign(x: View): View {
  return unary(signOp, x, "int32");
}

export const squareOp = /* @__PURE__ */ defineOp(
  "square",
  /* @__PURE__ */ unaryKernel(
    (x) => x * x,
    (x) => Math.imul(x, x),
  ),
);
/** x², of float32 or int32. */
export function square(x: View): View {
  return unary(squareOp, x, "int32");
}

export const sqrtOp = /* @__PURE__ */ defineOp("sqrt", /* @__PURE__ */ unaryKernel(Math.sqrt));
/** √x; NaN below 0. */
export function sqrt(x: View): View {
  return unary(sqrtOp, x);
}

export const rsqrtOp = /* @__PURE__ */ defineOp(
  "rsqrt",
  /* @__PURE__ */ unaryKernel((x) => 1 / Math.sqrt(x)),
);
/** 1/√x */
export function rsqrt(x: View): View {
  return unary(rsqrtOp, x);
}

export const reciprocalOp = /* @__PURE__ */ defineOp(
  "reciprocal",
  /* @__PURE__ */ unaryKernel((x) => 1 / x),
);
/** 1/x */
export function reciprocal(x: View): View {
  return unary(reciprocalOp, x);
}

export const expOp = /* @__PURE__ */ defineOp("exp", /* @__PURE__ */ unaryKernel(math.exp));
/** eˣ */
export function exp(x: View): View {
  return unary(expOp, x);
}

export const expm1Op = /* @__PURE__ */ defineOp("expm1", /* @__PURE__ */ unaryKernel(math.expm1));
/** eˣ − 1, accurate near 0. */
export function expm1(x: View): View {
  return unary(expm1Op, x);
}

export const logOp = /* @__PURE__ */ defineOp("log", /* @__PURE__ */ unaryKernel(math.log));
/** Natural logarithm; −∞ at 0, NaN below. */
export function log(x: View): View {
  return unary(logOp, x);
}

export const log2Op = /* @__PURE__ */ defineOp(
  "log2",
  /* @__PURE__ */ unaryKernel((x) => math.log(x) * Math.LOG2E),
);
/** Logarithm to base 2, exact for powers of 2; −∞ at 0, NaN below. */
export function log2(x: View): View {
  return unary(log2Op, x);
}

export const log1pOp = /* @__PURE__ */ defineOp("log1p", /* @__PURE__ */ unaryKernel(math.log1p));
/** log(1 + x), accurate near 0. */
export function log1p(x: View): View {
  return unary(log1pOp, x);
}

export const sinOp = /* @__PURE__ */ defineOp("sin", /* @__PURE__ */ unaryKernel(math.sin));
/** Sine of radians. */
export function sin(x: View): View {
  return unary(sinOp, x);
}

export const cosOp = /* @__PURE__ */ defineOp("cos", /* @__PURE__ */ unaryKernel(math.cos));
/** Cosine of radians. */
export function cos(x: View): View {
  return unary(cosOp, x);
}

export const tanhOp = /* @__PURE__ */ defineOp("tanh", /* @__PURE__ */ unaryKernel(math.tanh));
/** Hyperbolic tangent. */
export function tanh(x: View): View {
  return unary(tanhOp, x);
}

export const sigmoidOp = /* @__PURE__ */ defineOp("sigmoid", /* @__PURE__ */ unaryKernel(math.sigmoid));
/** 1/(1 + e⁻ˣ) */
export function sigmoid(x: View): View {
  return unary(sigmoidOp, x);
}

export const erfOp = /* @__PURE__ */ defineOp("erf", /* @__PURE__ */ unaryKernel(math.erf));
/** 2/√π ∫₀ˣ e^(−t²) dt */
export function erf(x: View): View {
  return unary(erfOp, x);
}

export const reluOp = /* @__PURE__ */ defineOp(
  "relu",
  /* @__PURE__ */ unaryKernel((x) => Math.max(x, 0)),
);
/** max(x, 0); NaN stays. */
export function relu(x: View): View {
  return unary(reluOp, x);
}

export const geluOp = /* @__PURE__ */ defineOp("gelu", /* @__PURE__ */ unaryKernel(math.geluTanh));
/**
 * GELU in the tanh form that GPT-2 was trained with ("gelu_new", OpenAI's model.py):
 * ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
 */
export function gelu(x: View): View {
  return unary(geluOp, x);
}

export const geluExactOp = /* @__PURE__ */ defineOp("geluExact", /* @__PURE__ */ unaryKernel(math.geluErf));
/** GELU as Hendrycks and Gimpel (2016) define it: ½x(1 + erf(x/√2)). */
export function geluExact(x: View): View {
  return unary(geluExactOp, x);
}

export const siluOp = /* @__PURE__ */ defineOp("silu", /* @__PURE__ */ unaryKernel(math.silu));
/** x·σ(x), also called swish. */
export function silu(x: View): View {
  return unary(siluOp, x);
}

export const quickGeluOp = /* @__PURE__ */ defineOp("quickGelu", /* @__PURE__ */ unaryKernel(math.quickGelu));
/** x·σ(1.702x), an approximation of GELU. */
export function quickGelu(x: View): View {
  return unary(quickGeluOp, x);
}

export const floorOp = /* @__PURE__ */ defineOp("floor", /* @__PURE__ */ unaryKernel(Math.floor));
/** The largest integer ≤ x. */
export function floor(x: View): View {
  return unary(floorOp, x);
}

export const ceilOp = /* @__PURE__ */ defineOp("ceil", /* @__PURE__ */ unaryKernel(Math.ceil));
/** The smallest integer ≥ x. */
export function ceil(x: View): View {
  return unary(ceilOp, x);
}

export const roundOp = /* @__PURE__ */ defineOp("round", /* @__PURE__ */ unaryKernel(math.roundHalfEven));
/** The nearest integer, the even one of two equally near. */
export function round(x: View): View {
  return unary(roundOp, x);
}

export const logicalNotOp = /* @__PURE__ */ defineOp(
  "logicalNot",
  /* @__PURE__ */ unaryKernel((x) => Number(x === 0)),
);
/** Not; bool only. */
export function logicalNot(x: View): View<"bool"> {
  expectDType("logicalNot", "x", x, "bool");
  return dispatch(logicalNotOp, [x], undefined, [{ dtype: "bool", shape: x.shape }])[0];
}

export const isNaNOp = /* @__PURE__ */ defineOp(
  "isNaN",
  /* @__PURE__ */ unaryKernel((x) => Number(Number.isNaN(x))),
);
/** Where a float32 is NaN. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: PyTorch's name; this module does not use the global one.
export function isNaN(x: View): View<"bool"> {
  expectDType("isNaN", "x", x, "float32");
  return dispatch(isNaNOp, [x], undefined, [{ dtype: "bool", shape: x.shape }])[0];
}

export const castOp = /* @__PURE__ */ defineOp("cast", castKernel);
/**
 * The same values as another element type. float32 to an integer type drops the fraction and clamps (NaN becomes 0);
 * int32 to uint8 keeps the low 8 bits; to bool, everything but 0 is true.
 */
export function cast<D extends DType>(x: View, dtype: D): View<D> {
  expectTensor("cast", "x", x);
  return dispatch(castOp, [x], { dtype }, [{ dtype, shape: x.shape }])[0];
}

function unary(op: Op, x: View, ...also: readonly DType[]): View {
  expectDType(op.name, "x", x, "float32", ...also);
  return dispatch(op, [x], undefined, [{ dtype: x.dtype, shape: x.shape }])[0];
}
