import type { WasmRuntime } from "../runtime.ts";

/** Whether these int32 are all in 0..size - 1: kernels read where they point without looking. */
export function allBelow(runtime: WasmRuntime, address: number, count: number, size: number): boolean {
  const indices = new Int32Array(runtime.memory.buffer, address, count);
  for (let i = 0; i < count; i++) {
    if (indices[i]! < 0 || indices[i]! >= size) return false;
  }
  return true;
}
