import { defineOp, type Op, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { gatherKernel, scatterAddKernel, scatterKernel } from "../backends/reference/indexing.ts";
import { sortKernel, topKKernel } from "../backends/reference/sort.ts";
import { expectHeld } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { showValue } from "../options.ts";
import { normalizeAxis, showShape } from "../shape.ts";
import { axisLast } from "./axes.ts";
import { where } from "./binary.ts";
import { expectDType, expectSameDType, expectShape, expectTensor } from "./checks.ts";
import { expand } from "./views.ts";

/** Elements, and where along the axis they were. */
export interface ValuesAndIndices {
  readonly values: View;
  readonly indices: View<"int32">;
}

export const gatherOp = /* @__PURE__ */ defineOp("gather", gatherKernel);
/**
 * Elements of x chosen along an axis by `indices` (int32, of x's shape but for that axis):
 * `out[i, j] = x[i, indices[i, j]]` for the last of two axes. Throws for an index outside the axis.
 */
export function gather(x: View, axis: number, indices: View): View {
  expectTensor("gather", "x", x);
  expectIndices("gather", x, axis, indices);
  const rows = axisLast("gather", indices, axis);
  const [out] = dispatch(gatherOp, [axisLast("gather", x, axis), rows], undefined, [
    { dtype: x.dtype, shape: rows.shape },
  ]);
  return axisLast("gather", out, axis);
}

export const scatterOp = /* @__PURE__ */ defineOp("scatter", scatterKernel);
/**
 * A copy of x in which elements chosen along an axis by `indices` are replaced by `src` (of the shape of `indices`, which
 * is x's but for the axis): `out[i, indices[i, j]] = src[i, j]`. Of several for one place, the last one stays.
 */
export function scatter(x: View, axis: number, indices: View, src: View): View {
  return scatterBy(scatterOp, x, axis, indices, src);
}

export const scatterAddOp = /* @__PURE__ */ defineOp("scatterAdd", scatterAddKernel);
/** As {@link scatter}, but adding to x: `out[i, indices[i, j]] += src[i, j]`. float32 or int32. */
export function scatterAdd(x: View, axis: number, indices: View, src: View): View {
  expectDType("scatterAdd", "x", x, "float32", "int32");
  return scatterBy(scatterAddOp, x, axis, indices, src);
}

function scatterBy(op: Op, x: View, axis: number, indices: View, src: View): View {
  expectTensor(op.name, "x", x);
  expectTensor(op.name, "src", src);
  expectIndices(op.name, x, axis, indices);
  expectSameDType(op.name, x, src);
  expectShape(op.name, "src", src, indices.shape);
  const [rows, ...others] = [x, indices, src].map((view) => axisLast(op.name, view, axis)) as [View, View, View];
  const [out] = dispatch(op, [rows, ...others], undefined, [{ dtype: x.dtype, shape: rows.shape }]);
  return axisLast(op.name, out, axis);
}

function expectIndices(op: string, x: View, axis: number, indices: View): void {
  expectDType(op, "indices", indices, "int32");
  const along = normalizeAxis(op, axis, x.shape.length);
  const fits =
    indices.shape.length === x.shape.length &&
    indices.shape.every((dim, other) => other === along || dim === x.shape[other]);
  if (fits) return;
  throw new ShapeMismatchError(
    op,
    `indices ${showShape(indices.shape)} must have the shape of x ${showShape(x.shape)} but for axis ${along}`,
  );
}

/**
 * x with `value`, which its element type must hold, where `mask` (bool, broadcast to x's shape) holds. Runs as
 * {@link where}.
 */
export function maskedFill(x: View, mask: View, value: number): View {
  expectTensor("maskedFill", "x", x);
  expectDType("maskedFill", "mask", mask, "bool");
  if (typeof value !== "number") throw new TypeError(`maskedFill: value must be a number, got ${showValue(value)}`);
  expectHeld("maskedFill", x.dtype, value);
  return where(expand(mask, x.shape), value, x);
}

export const sortOp = /* @__PURE__ */ defineOp("sort", sortKernel);
/**
 * The elements in order along an axis, ascending unless told otherwise; equals keep their order. NaN counts as larger than
 * every number. float32 or int32.
 */
export function sort(x: View, axis: number, descending = false): ValuesAndIndices {
  expectDType("sort", "x", x, "float32", "int32");
  return pairs(sortOp, x, axis, { descending }, (size) => size);
}

export const topKOp = /* @__PURE__ */ defineOp("topK", topKKernel);
/** The k largest elements along an axis, largest first; of equals the lower index comes first. float32 or int32. */
export function topK(x: View, k: number, axis: number): ValuesAndIndices {
  expectDType("topK", "x", x, "float32", "int32");
  return pairs(topKOp, x, axis, { k }, (size) => {
    if (Number.isInteger(k) && k >= 0 && k <= size) return k;
    throw new ShapeMismatchError("topK", `k must be a whole number up to the axis's size ${size}, got ${k}`);
  });
}

function pairs<Params>(
  op: Op<Params>,
  x: View,
  axis: number,
  params: Params,
  lengthOf: (size: number) => number,
): ValuesAndIndices {
  const rows = axisLast(op.name, x, axis);
  const shape = rows.shape.with(-1, lengthOf(rows.shape.at(-1)!));
  const [values, indices] = dispatch(op, [rows], params, [
    { dtype: x.dtype, shape },
    { dtype: "int32", shape },
  ]);
  return { values: axisLast(op.name, values, axis), indices: axisLast(op.name, indices, axis) as View<"int32"> };
}
