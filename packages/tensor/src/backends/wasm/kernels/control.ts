// Arguments of the running job, and how its work is divided. All state of a kernel lives in the memory (../abi.ts) or in
// locals: every thread has its own instance of the module, so a global would not be shared.
import { CHUNKS, FLOATS, INTS } from "../abi";

/** Integer argument number `index` of the running job. */
// @ts-ignore: decorator
@inline
export function int(index: i32): i32 {
  return load<i32>(INTS + (index << 2));
}

/** Address argument number `index` (it shares its numbering with the integers). */
// @ts-ignore: decorator
@inline
export function pointer(index: i32): usize {
  return load<u32>(INTS + (index << 2));
}

/** Float argument number `index` of the running job. */
// @ts-ignore: decorator
@inline
export function float(index: i32): f32 {
  return load<f32>(FLOATS + (index << 2));
}

/** First of `count` items that chunk `chunk` of `chunks` works on; chunk `chunk + 1` begins where it ends. */
// @ts-ignore: decorator
@inline
export function chunkStart(chunk: i32, chunks: i32, count: i32): i32 {
  return <i32>((<i64>count * chunk) / chunks);
}

/**
 * The same, with chunks of which each is smaller than the one before: `chunk` to `chunks` - 1 are a share of ((chunks - chunk) / chunks)²
 * of all. So the first are long, in which the processor fetches ahead what lies in order, and threads still finish together.
 */
// @ts-ignore: decorator
@inline
export function shrinkingStart(chunk: i32, chunks: i32, count: i32): i32 {
  const all = <i64>chunks * chunks;
  const left = <i64>(chunks - chunk) * (chunks - chunk);
  return <i32>((<i64>count * (all - left)) / all);
}

/** Chunks the running job was split into. */
// @ts-ignore: decorator
@inline
export function chunkCount(): i32 {
  return load<i32>(CHUNKS);
}
