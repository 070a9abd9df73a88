import { byteSize } from "../../../dtype.ts";
import type { WasmRuntime } from "../runtime.ts";
import type { WasmView } from "../storage.ts";

/** Addresses and steps, in bytes, of one operand [rows, H, D] whose last axis lies without gaps. */
export interface Heads {
  readonly address: number;
  readonly row: number;
  readonly head: number;
}

/** The operand as it lies, or a copy if its last axis has gaps. */
export function headsOf(runtime: WasmRuntime, view: WasmView): Heads {
  const [, H, D] = view.shape as readonly [number, number, number];
  const bytes = byteSize(view.dtype);
  if (D > 1 && view.strides[2] !== 1) {
    return { address: runtime.contiguous(view), row: bytes * H * D, head: bytes * D };
  }
  return { address: runtime.pointer(view), row: bytes * view.strides[0]!, head: bytes * view.strides[1]! };
}
