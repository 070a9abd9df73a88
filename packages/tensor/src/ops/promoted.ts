import type { View } from "../backends/backend.ts";
import { wholeView } from "../backends/dispatch.ts";
import { type DType, expectHeld, newData } from "../dtype.ts";
import { usingIntermediate } from "./intermediate.ts";
import { cast } from "./unary.ts";

/**
 * Computes with a tensor or number as a tensor of `dtype`: itself, a cast of it, or a tensor of no axes on the device of
 * `beside`. Throws DTypeError for a number that `dtype` does not hold; float32 rounds it.
 */
export function usingPromoted<T>(
  op: string,
  operand: View | number,
  dtype: DType,
  beside: View,
  compute: (operand: View) => T,
): T {
  if (typeof operand === "number") {
    expectHeld(op, dtype, operand);
    const data = newData(dtype, 1);
    data[0] = operand;
    return usingIntermediate(wholeView(beside.storage.backend.upload(dtype, data), []), compute);
  }
  return operand.dtype === dtype ? compute(operand) : usingIntermediate(cast(operand, dtype), compute);
}
