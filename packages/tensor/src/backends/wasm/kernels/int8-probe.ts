// How fast this processor multiplies bytes: what ../int8-probe.ts measures.
import { int, pointer } from "./control";
import { dotBytes } from "./simd";

/**
 * A chain of int(0) × 8 dependent products and sums, of bytes (int 1 is 1) or of 16-bit words (0), as time goes by latency
 * alone. Its result, which nobody needs, goes to address 2, so that it is not optimized away.
 */
export function probeDotsJob(chunk: i32): void {
  const x = v128.load(pointer(2));
  let sum = x;
  if (int(1)) {
    for (let i = chunk; i < int(0); i++) {
      sum = dotBytes(sum, x, dotBytes(sum, x, sum));
      sum = dotBytes(sum, x, dotBytes(sum, x, sum));
      sum = dotBytes(sum, x, dotBytes(sum, x, sum));
      sum = dotBytes(sum, x, dotBytes(sum, x, sum));
    }
  } else {
    for (let i = chunk; i < int(0); i++) {
      sum = dotWords(sum, x, dotWords(sum, x, sum));
      sum = dotWords(sum, x, dotWords(sum, x, sum));
      sum = dotWords(sum, x, dotWords(sum, x, sum));
      sum = dotWords(sum, x, dotWords(sum, x, sum));
    }
  }
  v128.store(pointer(2), v128.and(sum, v128.not(sum)));
}

// @ts-expect-error: decorator
@inline
function dotWords(a: v128, b: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}
