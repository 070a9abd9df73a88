// How the elementwise kernels walk their operands. The output lies without gaps; an operand is read along the last axis
// with any step. overrides/elementwise.ts writes these arguments.
import { chunkCount, chunkStart, int, pointer } from "./control";

// Ints: which operation, elements, output, rank, operand a, b, c (addresses), then per axis: size and the steps of a, b
// and c in bytes.
export const WHICH: i32 = 0;
const COUNT: i32 = 1;
const OUT: i32 = 2;
const RANK: i32 = 3;
const OPERANDS: i32 = 4;
const AXES: i32 = 7;

/** Elements of the output that chunk number `chunk` begins with. */
// @ts-expect-error: decorator
@inline
export function firstElement(chunk: i32): i32 {
  return chunkStart(chunk, chunkCount(), int(COUNT));
}

/** How many elements from number `index` on lie in the same row, at most up to `end`. */
// @ts-expect-error: decorator
@inline
export function runLength(index: i32, end: i32): i32 {
  const size = int(AXES + ((int(RANK) - 1) << 2));
  return min(end - index, size - (index % size));
}

/** Step along a row of operand 0, 1 or 2. */
// @ts-expect-error: decorator
@inline
export function stepOf(operand: i32): usize {
  return pointer(AXES + ((int(RANK) - 1) << 2) + 1 + operand);
}

/** Address of element number `index`, in the output's order, of operand 0, 1 or 2. */
export function addressOf(operand: i32, index: i32): usize {
  let address = pointer(OPERANDS + operand);
  for (let axis = int(RANK) - 1; axis >= 0; axis--) {
    const size = int(AXES + (axis << 2));
    address += <usize>(index % size) * pointer(AXES + (axis << 2) + 1 + operand);
    index /= size;
  }
  return address;
}

/** Address of element number `index` of an output with elements of four bytes, or of one. */
// @ts-expect-error: decorator
@inline
export function outWord(index: i32): usize {
  return pointer(OUT) + (<usize>index << 2);
}

// @ts-expect-error: decorator
@inline
export function outByte(index: i32): usize {
  return pointer(OUT) + index;
}

/** Four words, `step` bytes apart. */
// @ts-expect-error: decorator
@inline
export function loadFour(address: usize, step: usize): v128 {
  if (step == 4) return v128.load(address);
  let lanes = v128.load32_splat(address);
  if (step == 0) return lanes;
  lanes = v128.load_lane<u32>(address + step, lanes, 1);
  lanes = v128.load_lane<u32>(address + 2 * step, lanes, 2);
  return v128.load_lane<u32>(address + 3 * step, lanes, 3);
}

/** `count` (1 to 3) words, `step` bytes apart; the other lanes repeat the first. */
export function loadFew(address: usize, step: usize, count: i32): v128 {
  let lanes = v128.load32_splat(address);
  if (count > 1) lanes = v128.load_lane<u32>(address + step, lanes, 1);
  if (count > 2) lanes = v128.load_lane<u32>(address + 2 * step, lanes, 2);
  return lanes;
}
