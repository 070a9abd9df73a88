import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import { copyKernel } from "../backends/reference/elementwise.ts";
import { concatKernel, trilKernel, triuKernel } from "../backends/reference/rearrange.ts";
import { ShapeMismatchError } from "../errors.ts";
import { isContiguous, normalizeAxis, showShape, sizeOf } from "../shape.ts";
import { expectNumbers, expectSameDType, expectTensor, expectTensors } from "./checks.ts";
import { reshapeView, unsqueeze } from "./views.ts";

export const copyOp = /* @__PURE__ */ defineOp("copy", copyKernel);
/** The same elements, row-major in memory of their own. */
export function copy<D extends View["dtype"]>(x: View<D>): View<D> {
  return dispatch(copyOp, [x], undefined, [{ dtype: x.dtype, shape: x.shape }])[0];
}

/** x itself if it lies row-major without gaps, else a copy that does. */
export function contiguous<D extends View["dtype"]>(x: View<D>): View<D> {
  return isContiguous(x.shape, x.strides) ? x : copy(x);
}

/** The same elements in another shape, one size of which may be -1: a view, or a copy where strides leave no other way. */
export function reshape(x: View, shape: readonly number[]): View {
  const target = inferredShape(x, shape);
  const view = reshapeView(x, target);
  if (view) return view;
  return reshapeView(copy(x), target)!;
}

/** The axes from `first` to `last` made one; of a scalar, a vector of one. */
export function flatten(x: View, first: number, last: number): View {
  const rank = x.shape.length;
  if (rank === 0) return reshape(x, [1]);
  const from = normalizeAxis("flatten", first, rank);
  const to = normalizeAxis("flatten", last, rank);
  if (from > to) {
    throw new ShapeMismatchError("flatten", `axis ${first} comes after axis ${last} in ${showShape(x.shape)}`);
  }
  const joined = sizeOf(x.shape.slice(from, to + 1));
  return reshape(x, x.shape.toSpliced(from, to + 1 - from, joined));
}

/** `shape` with its -1 filled in. */
function inferredShape(x: View, shape: readonly number[]): readonly number[] {
  expectNumbers("reshape", "shape", shape, "[2, 3]");
  const size = sizeOf(x.shape);
  const open = shape.indexOf(-1);
  const given = shape.filter((_, axis) => axis !== open);
  const known = sizeOf(given);
  const valid = given.every((dim) => Number.isInteger(dim) && dim >= 0);
  const fits = open < 0 ? known === size : known > 0 && size % known === 0;
  if (!valid || !fits) {
    throw new ShapeMismatchError(
      "reshape",
      `${showShape(x.shape)} has ${size} elements, which do not fill ${showShape(shape)}`,
    );
  }
  return open < 0 ? shape : shape.map((dim, axis) => (axis === open ? size / known : dim));
}

export const concatOp = /* @__PURE__ */ defineOp("concat", concatKernel);
/** Tensors one after the other along an axis, in which alone their shapes may differ. */
export function concat(xs: readonly View[], axis: number): View {
  expectTensors("concat", xs);
  const first = xs[0];
  if (!first) throw new ShapeMismatchError("concat", "needs at least one tensor");
  const along = normalizeAxis("concat", axis, first.shape.length);
  let total = 0;
  for (const x of xs) {
    expectSameDType("concat", first, x);
    const fits =
      x.shape.length === first.shape.length &&
      x.shape.every((dim, other) => other === along || dim === first.shape[other]);
    if (!fits) {
      throw new ShapeMismatchError(
        "concat",
        `shapes ${showShape(first.shape)} and ${showShape(x.shape)} must be equal but for axis ${along}`,
      );
    }
    total += x.shape[along]!;
  }
  const shape = first.shape.with(along, total);
  return dispatch(concatOp, xs, { axis: along }, [{ dtype: first.dtype, shape }])[0];
}

/** Tensors of one shape side by side along a new axis. */
export function stack(xs: readonly View[], axis: number): View {
  expectTensors("stack", xs);
  return concat(
    xs.map((x) => unsqueeze(x, axis)),
    axis,
  );
}

export const trilOp = /* @__PURE__ */ defineOp("tril", trilKernel);
/** The lower triangle of the matrices in the last two axes; 0 above the diagonal (0: the main one; positive: above it). */
export function tril(x: View, diagonal = 0): View {
  expectTriangle("tril", x, diagonal);
  return dispatch(trilOp, [x], { diagonal }, [{ dtype: x.dtype, shape: x.shape }])[0];
}

export const triuOp = /* @__PURE__ */ defineOp("triu", triuKernel);
/** The upper triangle of the matrices in the last two axes; 0 below the diagonal. */
export function triu(x: View, diagonal = 0): View {
  expectTriangle("triu", x, diagonal);
  return dispatch(triuOp, [x], { diagonal }, [{ dtype: x.dtype, shape: x.shape }])[0];
}

function expectTriangle(op: string, x: View, diagonal: number): void {
  expectTensor(op, "x", x);
  if (x.shape.length < 2) throw new ShapeMismatchError(op, `needs at least 2 axes, got ${showShape(x.shape)}`);
  if (!Number.isInteger(diagonal)) throw new ShapeMismatchError(op, `diagonal must be a whole number, got ${diagonal}`);
}

export { expand, permute, select, slice, split, squeeze, transpose, unsqueeze } from "./views.ts";
