/**
 * Where things lie in the first page of the shared memory, in bytes. kernels/control.ts states the same numbers for the
 * kernels. Words that different threads write are a cache line apart.
 */
export const layout = {
  /** i64: number of the job in the high half, chunks not claimed yet in the low half. */
  state: 64,
  /** i32: chunks finished. */
  done: 128,
  /** i32: set when a worker failed; the length and the UTF-8 bytes of its message follow. */
  failed: 256,
  failureLength: 260,
  failureMessage: 4096,
  failureCapacity: 4096,
  /** i32 arguments of the running job. */
  ints: 512,
  intCapacity: 192,
  /** f32 arguments of the running job. */
  floats: 1280,
  floatCapacity: 64,
  /** Where tensors may begin. From 16384 (a flag in scripts/build-wasm.mjs) on lie the kernels' constants. */
  heap: 65536,
} as const;
