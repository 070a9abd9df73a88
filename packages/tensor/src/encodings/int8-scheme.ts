// The numbers of the int8 scheme (docs/quantization.md). The WebAssembly kernels import them too, so constants only.

/** Rows of a matrix that share a scale, column by column. The kernels' limits are in backends/wasm/kernels/int8-layout.ts. */
export const INT8_GROUP = 64;
/** The largest of the integers; the least is its negative. */
export const INT8_LARGEST = 127;
/** The largest of the integers that a left operand is quantized to; the least is 0. */
export const INT8_ACTIVATION_MOST = 255;
/**
 * Below this, 2^-100, a group's values count as zeros, because their scale would leave the range of float32: weights by the
 * largest of them, those of a left operand by their scale.
 */
export const INT8_NEGLIGIBLE = 7.888609052210118e-31;
