/** What makes `to` out of `from`; applyDelta of src/backends/wasm/delta.ts reads it. */
export function deltaOf(from: Buffer, to: Buffer): Buffer;
