import type { View } from "../backends/backend.ts";
import type { DType } from "../dtype.ts";
import { DisposedError } from "../errors.ts";
import { expectDType, expectTensor } from "../ops/checks.ts";
import type { AnyTensor } from "../tensor.ts";

/**
 * The tensor that a function was given. Throws {@link DisposedError} after it was disposed, TypeError for what is no tensor, and
 * {@link DTypeError} unless its element type is one of those named, if there are any.
 */
export function operand<T extends AnyTensor>(op: string, x: T, ...dtypes: readonly DType[]): T {
  expectTensor(op, "x", x as View);
  if (x.disposed) throw new DisposedError();
  if (dtypes.length > 0) expectDType(op, "x", x as View, ...dtypes);
  return x;
}
