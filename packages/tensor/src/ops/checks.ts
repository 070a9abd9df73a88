import type { View } from "../backends/backend.ts";
import type { DType } from "../dtype.ts";
import { DTypeError, ShapeMismatchError } from "../errors.ts";
import { showValue } from "../options.ts";
import { showShape } from "../shape.ts";

/** Refuses what is no tensor; `what` names the operand in the message. */
export function expectTensor(op: string, what: string, value: View): void {
  if ((value as View | null | undefined)?.storage !== undefined) return;
  throw new TypeError(`${op}: ${what} must be a tensor, got ${showOperand(value)}`);
}

/** Refuses what is no array of tensors. */
export function expectTensors(op: string, values: readonly View[]): void {
  if (!Array.isArray(values)) throw new TypeError(`${op}: expected an array of tensors, got ${showValue(values)}`);
  for (let i = 0; i < values.length; i++) expectTensor(op, `tensor ${i}`, values[i]!);
}

/** Refuses what is neither a tensor nor a number. */
export function expectOperand(op: string, what: string, value: View | number): void {
  if (typeof value === "number" || (value as View | null | undefined)?.storage !== undefined) return;
  throw new TypeError(`${op}: ${what} must be a tensor or a number, got ${showOperand(value)}`);
}

/** Refuses what is no array of numbers; `example` shows one. */
export function expectNumbers(op: string, what: string, value: readonly number[], example: string): void {
  if (Array.isArray(value) && value.every((item) => typeof item === "number")) return;
  throw new TypeError(`${op}: ${what} must be an array such as ${example}, got ${showValue(value)}`);
}

/** What stands where a tensor should, with a hint where it could become one. */
function showOperand(value: unknown): string {
  return `${showValue(value)}${Array.isArray(value) ? " (tensor(…) makes a tensor of an array)" : ""}`;
}

/** Refuses an operand of another element type; `what` names it in the message. */
export function expectDType(op: string, what: string, view: View, ...allowed: readonly DType[]): void {
  expectTensor(op, what, view);
  if (allowed.includes(view.dtype)) return;
  throw new DTypeError(op, `${what} must be ${allowed.join(" or ")}, got ${view.dtype} ${showShape(view.shape)}`);
}

/** Refuses operands of different element types. */
export function expectSameDType(op: string, a: View, b: View): void {
  if (a.dtype === b.dtype) return;
  throw new DTypeError(
    op,
    `operands must have one element type, got ${a.dtype} ${showShape(a.shape)} and ${b.dtype} ${showShape(b.shape)}; cast one of them`,
  );
}

/** Refuses an operand of another number of axes; `letters` spells the expected ones, e.g. `[T, H, D]`. */
export function expectRank(op: string, what: string, view: View, rank: number, letters: string): void {
  if (view.shape.length === rank) return;
  throw new ShapeMismatchError(op, `${what} must have ${rank} axes ${letters}, got ${showShape(view.shape)}`);
}

/** Refuses an operand of another shape. */
export function expectShape(op: string, what: string, view: View, expected: readonly number[]): void {
  expectTensor(op, what, view);
  const { shape } = view;
  if (shape.length === expected.length && expected.every((size, axis) => shape[axis] === size)) return;
  throw new ShapeMismatchError(op, `${what} must be ${showShape(expected)}, got ${showShape(shape)}`);
}
