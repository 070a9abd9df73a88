// The control block at the start of the shared memory: ../layout.ts states the same addresses. All state of a kernel
// lives in the memory or in locals: every thread has its own instance of the module, so a global would not be shared.

/** i64: number of the job in the high half, chunks not claimed yet in the low half. */
export const STATE: usize = 64;
/** i32: chunks finished. */
export const DONE: usize = 128;
/** i32: workers that wait for a job. */
export const SLEEPERS: usize = 192;
/** i32: 1 when a worker failed. */
export const FAILED: usize = 256;
/** i32: what the job of this number is, and of how many chunks. */
export const JOB: usize = 320;
export const CHUNKS: usize = 324;
/** i32: 1 when workers shall return. */
export const QUIT: usize = 384;

const INTS: usize = 512;
const FLOATS: usize = 1280;

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

/** Chunks the running job was split into. */
// @ts-ignore: decorator
@inline
export function chunkCount(): i32 {
  return load<i32>(CHUNKS);
}
