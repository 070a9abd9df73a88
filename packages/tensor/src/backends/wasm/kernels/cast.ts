// Conversions of element types that change an element's size.
import {
  CAST_BYTE_TO_BOOL,
  CAST_BYTE_TO_FLOAT,
  CAST_BYTE_TO_INT,
  CAST_FLOAT_TO_BOOL,
  CAST_FLOAT_TO_BYTE,
  CAST_INT_TO_BOOL,
  CAST_INT_TO_BYTE,
} from "../abi";
import { int, pointer } from "./control";
import { addressOf, firstElement, runLength, stepOf, WHICH } from "./operands";

export function castJob(chunk: i32): void {
  const which = int(WHICH);
  const end = firstElement(chunk + 1);
  const step = stepOf(0);
  const size: usize = which <= CAST_BYTE_TO_INT ? 4 : 1;
  for (let i = firstElement(chunk); i < end; ) {
    const count = runLength(i, end);
    let x = addressOf(0, i);
    let out = pointer(2) + <usize>i * size;
    const stop = out + <usize>count * size;
    for (; out < stop; out += size, x += step) {
      if (which == CAST_BYTE_TO_FLOAT) store<f32>(out, <f32>load<u8>(x));
      else if (which == CAST_BYTE_TO_INT) store<i32>(out, load<u8>(x));
      else if (which == CAST_FLOAT_TO_BOOL) store<u8>(out, <u8>(load<f32>(x) != 0));
      else if (which == CAST_INT_TO_BOOL) store<u8>(out, <u8>(load<i32>(x) != 0));
      else if (which == CAST_BYTE_TO_BOOL) store<u8>(out, <u8>(load<u8>(x) != 0));
      else if (which == CAST_FLOAT_TO_BYTE) store<u8>(out, byteOf(load<f32>(x)));
      else if (which == CAST_INT_TO_BYTE) store<u8>(out, load<u8>(x));
      else unreachable();
    }
    i += count;
  }
}

/** Towards zero, clamped to 0..255; NaN to 0. */
// @ts-expect-error: decorator
@inline
function byteOf(x: f32): u8 {
  return <u8>max(0, min(255, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(f32x4.splat(x)), 0)));
}
