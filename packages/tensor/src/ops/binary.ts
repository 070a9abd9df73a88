import { defineOp, type Op, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { binaryKernel, whereKernel } from "../backends/reference/elementwise.ts";
import * as math from "../backends/reference/math.ts";
import { type DType, holds } from "../dtype.ts";
import { DTypeError } from "../errors.ts";
import { promote } from "../promotion.ts";
import { broadcastShapes, broadcastStrides, showShape } from "../shape.ts";
import { expectDType, expectOperand, expectTensor } from "./checks.ts";
import { usingPromoted } from "./promoted.ts";

/** The other operand beside a tensor: a tensor, broadcast against it as in NumPy, or a number. */
export type Other = View | number;

// Arithmetic is done in float32 or int32, in the one of them where the operands meet (promotion.ts); int32 wraps around at
// 32 bits. A number beside a tensor takes the tensor's type, and must be one of its numbers. NaN propagates everywhere.

export const addOp = /* @__PURE__ */ defineOp(
  "add",
  /* @__PURE__ */ binaryKernel((a, b) => a + b),
);
/** a + b */
export function add(a: View, b: Other): View {
  return arithmetic(addOp, a, b);
}

export const subOp = /* @__PURE__ */ defineOp(
  "sub",
  /* @__PURE__ */ binaryKernel((a, b) => a - b),
);
/** a − b */
export function sub(a: View, b: Other): View {
  return arithmetic(subOp, a, b);
}

export const mulOp = /* @__PURE__ */ defineOp(
  "mul",
  /* @__PURE__ */ binaryKernel((a, b) => a * b, Math.imul),
);
/** a · b */
export function mul(a: View, b: Other): View {
  return arithmetic(mulOp, a, b);
}

export const divOp = /* @__PURE__ */ defineOp(
  "div",
  /* @__PURE__ */ binaryKernel((a, b) => a / b),
);
/** a / b in float32, whatever the operands are: ±∞ or NaN where b is 0. */
export function div(a: View, b: Other): View {
  expectPair("div", a, b);
  return meeting(divOp, a, b, "float32", "float32");
}

export const truncDivOp = /* @__PURE__ */ defineOp("truncDiv", /* @__PURE__ */ binaryKernel(integerQuotient));
/** a / b of integers, cut towards zero, as int32. Throws where b is 0. −2³¹ / −1 wraps around. */
export function truncDiv(a: View, b: Other): View {
  const dtype = arithmeticType("truncDiv", a, b);
  if (dtype === "int32") return meeting(truncDivOp, a, b, dtype, dtype);
  throw new DTypeError(
    "truncDiv",
    `divides integers, got ${showOperand(a)} and ${showOperand(b)}; div divides float32`,
  );
}

export const powOp = /* @__PURE__ */ defineOp("pow", /* @__PURE__ */ binaryKernel(math.pow, integerPower));
/**
 * aᵇ, with C's conventions for float32: 1 where b is 0 or a is 1, NaN for a negative a and fractional b. A negative
 * int32 exponent gives the quotient 1 / a⁻ᵇ cut towards zero (0 for a = 0); as a number it is refused.
 */
export function pow(a: View, b: Other): View {
  if (typeof b === "number" && b < 0 && a?.dtype === "int32") {
    throw new DTypeError("pow", `an int32 has no power ${b} in int32; cast("float32") first`);
  }
  return arithmetic(powOp, a, b);
}

export const modOp = /* @__PURE__ */ defineOp("mod", /* @__PURE__ */ binaryKernel(remainder, integerRemainder));
/** What is left of a / b, with the sign of b; NaN where b is 0, which integers refuse. */
export function mod(a: View, b: Other): View {
  return arithmetic(modOp, a, b);
}

// These choose among their operands, so they take every element type.

export const maximumOp = /* @__PURE__ */ defineOp("maximum", /* @__PURE__ */ binaryKernel(Math.max));
/** The larger of a and b; NaN where either is. */
export function maximum(a: View, b: Other): View {
  return choice(maximumOp, a, b);
}

export const minimumOp = /* @__PURE__ */ defineOp("minimum", /* @__PURE__ */ binaryKernel(Math.min));
/** The smaller of a and b; NaN where either is. */
export function minimum(a: View, b: Other): View {
  return choice(minimumOp, a, b);
}

export const whereOp = /* @__PURE__ */ defineOp("where", whereKernel);
/**
 * `condition ? a : b`, the three broadcast against each other; `condition` is bool. A number takes the type of the tensor
 * beside it; two numbers are float32.
 */
export function where(condition: View, a: Other, b: Other): View {
  expectDType("where", "condition", condition, "bool");
  expectOperand("where", "a", a);
  expectOperand("where", "b", b);
  const dtype = typeof a === "number" ? dtypeOf(b, "float32") : promote(a.dtype, dtypeOf(b, a.dtype));
  return usingPromoted("where", a, dtype, condition, (x) =>
    usingPromoted("where", b, dtype, condition, (y) => {
      const shape = broadcastShapes("where", condition.shape, x.shape, y.shape);
      const inputs = [condition, x, y].map((view) => stretched(view, shape));
      return dispatch(whereOp, inputs, undefined, [{ dtype, shape }])[0];
    }),
  );
}

// Comparisons take every pair of element types, compare values exactly and give bool.

export const eqOp = /* @__PURE__ */ defineOp(
  "eq",
  /* @__PURE__ */ binaryKernel((a, b) => Number(a === b)),
);
/** a = b */
export function eq(a: View, b: Other): View<"bool"> {
  return comparison(eqOp, a, b);
}

export const neOp = /* @__PURE__ */ defineOp(
  "ne",
  /* @__PURE__ */ binaryKernel((a, b) => Number(a !== b)),
);
/** a ≠ b (true where either is NaN) */
export function ne(a: View, b: Other): View<"bool"> {
  return comparison(neOp, a, b);
}

export const ltOp = /* @__PURE__ */ defineOp(
  "lt",
  /* @__PURE__ */ binaryKernel((a, b) => Number(a < b)),
);
/** a < b */
export function lt(a: View, b: Other): View<"bool"> {
  return comparison(ltOp, a, b);
}

export const leOp = /* @__PURE__ */ defineOp(
  "le",
  /* @__PURE__ */ binaryKernel((a, b) => Number(a <= b)),
);
/** a ≤ b */
export function le(a: View, b: Other): View<"bool"> {
  return comparison(leOp, a, b);
}

export const gtOp = /* @__PURE__ */ defineOp(
  "gt",
  /* @__PURE__ */ binaryKernel((a, b) => Number(a > b)),
);
/** a > b */
export function gt(a: View, b: Other): View<"bool"> {
  return comparison(gtOp, a, b);
}

export const geOp = /* @__PURE__ */ defineOp(
  "ge",
  /* @__PURE__ */ binaryKernel((a, b) => Number(a >= b)),
);
/** a ≥ b */
export function ge(a: View, b: Other): View<"bool"> {
  return comparison(geOp, a, b);
}

export const logicalAndOp = /* @__PURE__ */ defineOp(
  "logicalAnd",
  /* @__PURE__ */ binaryKernel((a, b) => a & b),
);
/** Both; bool only. */
export function logicalAnd(a: View, b: View): View<"bool"> {
  return logical(logicalAndOp, a, b);
}

export const logicalOrOp = /* @__PURE__ */ defineOp(
  "logicalOr",
  /* @__PURE__ */ binaryKernel((a, b) => a | b),
);
/** Either; bool only. */
export function logicalOr(a: View, b: View): View<"bool"> {
  return logical(logicalOrOp, a, b);
}

function arithmetic(op: Op, a: View, b: Other): View {
  const dtype = arithmeticType(op.name, a, b);
  return meeting(op, a, b, dtype, dtype);
}

/** Where the operands of arithmetic meet. */
function arithmeticType(op: string, a: View, b: Other): DType {
  const dtype = meetingType(op, a, b);
  if (dtype === "float32" || dtype === "int32") return dtype;
  throw new DTypeError(op, `needs float32 or int32, got ${showOperand(a)} and ${showOperand(b)}; cast one of them`);
}

function choice(op: Op, a: View, b: Other): View {
  const dtype = meetingType(op.name, a, b);
  return meeting(op, a, b, dtype, dtype);
}

function comparison(op: Op, a: View, b: Other): View<"bool"> {
  const dtype = meetingType(op.name, a, b);
  if (typeof b === "number" && !holds(dtype, b)) return compareWithForeign(op, a, b);
  // float32 does not hold every int32: these two are compared as they are.
  const apart = dtype === "float32" && (a.dtype === "int32" || dtypeOf(b, dtype) === "int32");
  return apart ? broadcast(op, a, b as View, "bool") : meeting(op, a, b, dtype, "bool");
}

/** Compares integers with a number that their type does not hold: with a bound that asks the same, if there is one. */
function compareWithForeign(op: Op, x: View, value: number): View<"bool"> {
  if (op === eqOp || op === neOp || Number.isNaN(value)) return everywhere(x, op === neOp);
  const below = op === ltOp || op === leOp;
  // x < 1.5 and x ≤ 1.5 are x ≤ 1; x > 1.5 and x ≥ 1.5 are x ≥ 2.
  const bound = below ? Math.floor(value) : Math.ceil(value);
  if (holds(x.dtype, bound)) return comparison(below ? leOp : geOp, x, bound);
  return everywhere(x, below === value > 0);
}

/** One answer for all of x, whose elements are integers: each equals itself. */
function everywhere(x: View, answer: boolean): View<"bool"> {
  return broadcast(answer ? eqOp : neOp, x, x, "bool");
}

function logical(op: Op, a: View, b: View): View<"bool"> {
  expectDType(op.name, "a", a, "bool");
  expectDType(op.name, "b", b, "bool");
  return broadcast(op, a, b, "bool");
}

/** Where two operands meet: the tensor's own type beside a number. */
function meetingType(op: string, a: View, b: Other): DType {
  expectPair(op, a, b);
  return promote(a.dtype, dtypeOf(b, a.dtype));
}

function expectPair(op: string, a: View, b: Other): void {
  expectTensor(op, "a", a);
  expectOperand(op, "b", b);
}

/** Runs an op on operands of element type `dtype`, to which the given ones are cast. */
function meeting<D extends DType>(op: Op, a: View, b: Other, dtype: DType, result: D): View<D> {
  if (typeof b !== "number" && a.dtype === dtype && b.dtype === dtype) return broadcast(op, a, b, result);
  return usingPromoted(op.name, a, dtype, a, (x) =>
    usingPromoted(op.name, b, dtype, a, (y) => broadcast(op, x, y, result)),
  );
}

function broadcast<D extends DType>(op: Op, a: View, b: View, dtype: D): View<D> {
  const shape = broadcastShapes(op.name, a.shape, b.shape);
  return dispatch(op, [stretched(a, shape), stretched(b, shape)], undefined, [{ dtype, shape }])[0];
}

/** x as if it had the larger shape. */
function stretched(view: View, shape: readonly number[]): View {
  const { storage, dtype, offset } = view;
  return { storage, dtype, shape, strides: broadcastStrides(view.shape, view.strides, shape), offset };
}

function dtypeOf(operand: Other, ofNumbers: DType): DType {
  return typeof operand === "number" ? ofNumbers : operand.dtype;
}

function showOperand(operand: Other): string {
  return typeof operand === "number" ? String(operand) : `${operand.dtype} ${showShape(operand.shape)}`;
}

/** a / b cut towards zero, as an int32 array stores it. */
function integerQuotient(a: number, b: number): number {
  if (b !== 0) return a / b;
  throw new DTypeError("truncDiv", `${a} / 0 has no int32; div gives ±Infinity or NaN`);
}

/** PyTorch's formula: C's fmod, which is exact, and b more where its sign is not b's. */
function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

function integerRemainder(a: number, b: number): number {
  if (b !== 0) return remainder(a, b);
  throw new DTypeError("mod", `${a} modulo 0 has no int32; cast("float32") gives NaN`);
}

/** aᵇ modulo 2³², by squaring. */
function integerPower(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let power = 1;
  for (let base = a, rest = b; rest > 0; rest >>= 1, base = Math.imul(base, base)) {
    if (rest & 1) power = Math.imul(power, base);
  }
  return power;
}
