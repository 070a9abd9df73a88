/**
 * sum + four products of bytes in each lane: `a` signed; `b` too, or unsigned, as the processor has it. What it does with a `b`
 * above 127 is left to the processor: ../byte-products.ts finds it out before anything relies on it.
 */
// @ts-expect-error: decorator
@inline
export function dotBytes(a: v128, b: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sum);
}
