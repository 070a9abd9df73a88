// Functions of two tensors, or of a tensor and a number on either side: `sub(1, x)`.
import type { View } from "../backends/backend.ts";
import type { DType } from "../dtype.ts";
import * as binary from "../ops/binary.ts";
import { expectTensor } from "../ops/checks.ts";
import { usingPromoted } from "../ops/promoted.ts";
import type { Arithmetic, CheckDTypes, Chosen, Numeric } from "../promotion.ts";
import { type Tensor, wrap } from "../tensor.ts";
import type { CheckBroadcast, Elementwise, Shape } from "../types/shape-types.ts";

/** Arithmetic in float32 or int32. A number takes the type of the tensor beside it, which must hold it. */
export type ArithmeticFunction = <
  A extends Shape = [],
  B extends Shape = [],
  D extends DType = never,
  E extends DType = never,
>(
  a: Tensor<A, D> | number,
  b: (Tensor<B, E> & CheckBroadcast<A, B> & CheckDTypes<Arithmetic<Chosen<D, E>, Chosen<E, D>>, D, E>) | number,
) => Tensor<Elementwise<A, B>, Chosen<D, E> & Numeric>;

/** Division in float32, whatever the operands are. */
export type DivisionFunction = <
  A extends Shape = [],
  B extends Shape = [],
  D extends DType = never,
  E extends DType = never,
>(
  a: Tensor<A, D> | number,
  b: (Tensor<B, E> & CheckBroadcast<A, B>) | number,
) => Tensor<Elementwise<A, B>>;

/** A choice between two operands of any element types, in the one where they meet. */
export type ChoiceFunction = <
  A extends Shape = [],
  B extends Shape = [],
  D extends DType = never,
  E extends DType = never,
>(
  a: Tensor<A, D> | number,
  b: (Tensor<B, E> & CheckBroadcast<A, B>) | number,
) => Tensor<Elementwise<A, B>, Chosen<D, E>>;

/** A comparison of operands of any element types, by value. */
export type ComparisonFunction = <
  A extends Shape = [],
  B extends Shape = [],
  D extends DType = never,
  E extends DType = never,
>(
  a: Tensor<A, D> | number,
  b: (Tensor<B, E> & CheckBroadcast<A, B>) | number,
) => Tensor<Elementwise<A, B>, "bool">;

export const add: ArithmeticFunction = (a, b) => swapping(binary.add, a, b, binary.add);

export const sub: ArithmeticFunction = (a, b) => promoting("sub", binary.sub, a, b);

export const mul: ArithmeticFunction = (a, b) => swapping(binary.mul, a, b, binary.mul);

/** float32, whatever the operands are; {@link truncDiv} divides integers. */
export const div: DivisionFunction = (a, b) => promoting("div", binary.div, a, b, "float32");

export const pow: ArithmeticFunction = (a, b) => promoting("pow", binary.pow, a, b);

/**
 * What is left of `a` divided by `b`, with the sign of `b`, as Python's `%`, `numpy.mod` and `torch.remainder` have it (JavaScript's
 * `%` has the sign of `a`). Floats: exact, NaN where b is 0; integers: {@link DTypeError} where b is 0.
 */
export const mod: ArithmeticFunction = (a, b) => promoting("mod", binary.mod, a, b);

export const maximum: ChoiceFunction = (a, b) => swapping(binary.maximum, a, b, binary.maximum);

export const minimum: ChoiceFunction = (a, b) => swapping(binary.minimum, a, b, binary.minimum);

export const eq: ComparisonFunction = (a, b) => swapping(binary.eq, a, b, binary.eq);

export const ne: ComparisonFunction = (a, b) => swapping(binary.ne, a, b, binary.ne);

export const lt: ComparisonFunction = (a, b) => swapping(binary.lt, a, b, binary.gt);

export const le: ComparisonFunction = (a, b) => swapping(binary.le, a, b, binary.ge);

export const gt: ComparisonFunction = (a, b) => swapping(binary.gt, a, b, binary.lt);

export const ge: ComparisonFunction = (a, b) => swapping(binary.ge, a, b, binary.le);

type Binary = (a: View, b: binary.Other) => View;
type Given = View | number;

/** `op(a, b)`; for a number on the left `swapped(b, a)`, which is the same. */
function swapping<S extends Shape, D extends DType>(op: Binary, a: Given, b: Given, swapped: Binary): Tensor<S, D> {
  return wrap(typeof a === "number" ? swapped(b as View, a) : op(a, b));
}

/** `op(a, b)`, with a number on the left made a tensor of `dtype`, or else of b's type. */
function promoting<S extends Shape, D extends DType>(
  name: string,
  op: Binary,
  a: Given,
  b: Given,
  dtype?: DType,
): Tensor<S, D> {
  if (typeof a !== "number") return wrap(op(a, b));
  expectTensor(name, "b", b as View);
  const right = b as View;
  return wrap(usingPromoted(name, a, dtype ?? right.dtype, right, (left) => op(left, right)));
}
