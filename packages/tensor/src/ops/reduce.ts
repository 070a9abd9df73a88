import { defineOp, type Op, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import * as kernels from "../backends/reference/reduce.ts";
import type { DType } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { normalizeAxis, showShape, sizeOf } from "../shape.ts";
import { axisLast } from "./axes.ts";
import { expectDType, expectTensor } from "./checks.ts";
import { usingIntermediate } from "./intermediate.ts";
import { cast } from "./unary.ts";
import { permute, unsqueeze } from "./views.ts";

/** The axis or axes to reduce, negative ones counting from the end; all axes when there is none. */
export type ReducedAxes = number | readonly number[] | undefined;

// Each reduces to the remaining axes; with keepDim the reduced ones stay, of size one.

export const sumOp = /* @__PURE__ */ defineOp("sum", kernels.sumKernel);
/** Σ x, in float32 or int32 (which wraps around; also of uint8 and bool); 0 of nothing. */
export function sum(x: View, axes?: ReducedAxes, keepDim?: boolean): View {
  return counted(sumOp, x, axes, keepDim);
}

export const meanOp = /* @__PURE__ */ defineOp("mean", kernels.meanKernel);
/** Σ x / n, of float32; NaN of nothing. */
export function mean(x: View, axes?: ReducedAxes, keepDim?: boolean): View {
  expectDType("mean", "x", x, "float32");
  return reduce(meanOp, x, axes, keepDim, "float32");
}

export const prodOp = /* @__PURE__ */ defineOp("prod", kernels.prodKernel);
/** Π x, in float32 or int32 (which wraps around; also of uint8 and bool); 1 of nothing. */
export function prod(x: View, axes?: ReducedAxes, keepDim?: boolean): View {
  return counted(prodOp, x, axes, keepDim);
}

export const maxOp = /* @__PURE__ */ defineOp("max", kernels.maxKernel);
/** The largest element, of float32 or int32; NaN if any is. Throws for an empty axis. */
export function max(x: View, axes?: ReducedAxes, keepDim?: boolean): View {
  expectDType("max", "x", x, "float32", "int32");
  return reduce(maxOp, x, axes, keepDim, x.dtype, "needs elements");
}

export const minOp = /* @__PURE__ */ defineOp("min", kernels.minKernel);
/** The smallest element, of float32 or int32; NaN if any is. Throws for an empty axis. */
export function min(x: View, axes?: ReducedAxes, keepDim?: boolean): View {
  expectDType("min", "x", x, "float32", "int32");
  return reduce(minOp, x, axes, keepDim, x.dtype, "needs elements");
}

export const logSumExpOp = /* @__PURE__ */ defineOp("logSumExp", kernels.logSumExpKernel);
/** log Σ eˣ, of float32, without overflow; −∞ of nothing. */
export function logSumExp(x: View, axes?: ReducedAxes, keepDim?: boolean): View {
  expectDType("logSumExp", "x", x, "float32");
  return reduce(logSumExpOp, x, axes, keepDim, "float32");
}

export const argMaxOp = /* @__PURE__ */ defineOp("argMax", kernels.argMaxKernel);
/**
 * Where the largest element is, the first of equals (or the first NaN), of float32 or int32: its index along the axis, or
 * its row-major number among several axes. Throws for an empty axis.
 */
export function argMax(x: View, axes?: ReducedAxes, keepDim?: boolean): View<"int32"> {
  expectDType("argMax", "x", x, "float32", "int32");
  return reduce(argMaxOp, x, axes, keepDim, "int32", "needs elements");
}

export const argMinOp = /* @__PURE__ */ defineOp("argMin", kernels.argMinKernel);
/** As {@link argMax}, of the smallest element. */
export function argMin(x: View, axes?: ReducedAxes, keepDim?: boolean): View<"int32"> {
  expectDType("argMin", "x", x, "float32", "int32");
  return reduce(argMinOp, x, axes, keepDim, "int32", "needs elements");
}

export const anyOp = /* @__PURE__ */ defineOp("any", kernels.anyKernel);
/** Whether any bool is true; false of nothing. */
export function any(x: View, axes?: ReducedAxes, keepDim?: boolean): View<"bool"> {
  expectDType("any", "x", x, "bool");
  return reduce(anyOp, x, axes, keepDim, "bool");
}

export const allOp = /* @__PURE__ */ defineOp("all", kernels.allKernel);
/** Whether all bools are true; true of nothing. */
export function all(x: View, axes?: ReducedAxes, keepDim?: boolean): View<"bool"> {
  expectDType("all", "x", x, "bool");
  return reduce(allOp, x, axes, keepDim, "bool");
}

export const cumsumOp = /* @__PURE__ */ defineOp("cumsum", kernels.cumsumKernel);
/** Running sums along an axis, of float32; x's shape. */
export function cumsum(x: View, axis: number): View {
  expectDType("cumsum", "x", x, "float32");
  const rows = axisLast("cumsum", x, axis);
  return axisLast("cumsum", dispatch(cumsumOp, [rows], undefined, [{ dtype: "float32", shape: rows.shape }])[0], axis);
}

/** A sum or product, which uint8 and bool would not hold. */
function counted(op: Op<kernels.ReduceParams>, x: View, axes: ReducedAxes, keepDim: boolean | undefined): View {
  expectTensor(op.name, "x", x);
  const { dtype } = x;
  if (dtype === "float32" || dtype === "int32") return reduce(op, x, axes, keepDim, dtype);
  return usingIntermediate(cast(x, "int32"), (wide) => reduce(op, wide, axes, keepDim, "int32"));
}

/** Puts the reduced axes last and runs the op. */
function reduce<D extends DType>(
  op: Op<kernels.ReduceParams>,
  x: View,
  axes: ReducedAxes,
  keepDim: boolean | undefined,
  dtype: D,
  ofNothing: "has a value" | "needs elements" = "has a value",
): View<D> {
  const all = x.shape.map((_, axis) => axis);
  const named = Array.isArray(axes) ? axes : axes === undefined ? all : [axes];
  const reduced = new Set(named.map((axis) => normalizeAxis(op.name, axis, x.shape.length)));
  if (reduced.size !== named.length) {
    throw new ShapeMismatchError(op.name, `axes ${showShape(named)} name one of ${showShape(x.shape)} twice`);
  }
  const kept = all.filter((axis) => !reduced.has(axis));
  const last = all.filter((axis) => reduced.has(axis));
  if (ofNothing === "needs elements" && sizeOf(last.map((axis) => x.shape[axis]!)) === 0) {
    throw new ShapeMismatchError(
      op.name,
      `has no value for no elements (axes ${showShape(last)} of ${showShape(x.shape)})`,
    );
  }
  const shape = kept.map((axis) => x.shape[axis]!);
  let out: View<D> = dispatch(op, [permute(x, [...kept, ...last])], { axes: last.length }, [{ dtype, shape }])[0];
  if (keepDim) for (const axis of last) out = unsqueeze(out, axis) as View<D>;
  return out;
}
