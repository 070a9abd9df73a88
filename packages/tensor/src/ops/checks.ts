import type { View } from "../backends/backend.ts";
import type { DType } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { showShape } from "../shape.ts";

/** Refuses an operand of another element type; `what` names it in the message. */
export function expectDType(op: string, what: string, view: View, ...allowed: readonly DType[]): void {
  if (allowed.includes(view.dtype)) return;
  throw new ShapeMismatchError(
    op,
    `${what} must be ${allowed.join(" or ")}, got ${view.dtype} ${showShape(view.shape)}`,
  );
}

/** Refuses operands of different element types. */
export function expectSameDType(op: string, a: View, b: View): void {
  if (a.dtype === b.dtype) return;
  throw new ShapeMismatchError(
    op,
    `operands must have one element type, got ${a.dtype} ${showShape(a.shape)} and ${b.dtype} ${showShape(b.shape)}`,
  );
}

/** Refuses an operand of another number of axes; `letters` spells the expected ones, e.g. `[T, H, D]`. */
export function expectRank(op: string, what: string, view: View, rank: number, letters: string): void {
  if (view.shape.length === rank) return;
  throw new ShapeMismatchError(op, `${what} must have ${rank} axes ${letters}, got ${showShape(view.shape)}`);
}

/** Refuses an operand of another shape. */
export function expectShape(op: string, what: string, view: View, expected: readonly number[]): void {
  const { shape } = view;
  if (shape.length === expected.length && expected.every((size, axis) => shape[axis] === size)) return;
  throw new ShapeMismatchError(op, `${what} must be ${showShape(expected)}, got ${showShape(shape)}`);
}
