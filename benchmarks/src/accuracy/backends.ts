/** The backends whose results are compared. */
import { type Backend, createWasmBackend, device } from "@gpt2-ts/tensor";

export interface Candidate {
  readonly name: string;
  readonly backend: Backend;
  /** Prompts longer than this are left out: the reference backend takes seconds per token on the 124M shape. */
  readonly maxLength: number;
  dispose(): void;
}

/** The longest prompt of the 124M shape for the plain loops of the reference backend. */
const REFERENCE_MAX_LENGTH = 64;

/** `wasm` runs with relaxed SIMD where the JavaScript engine has it; elsewhere it is the deterministic build anyway. */
export function candidates(): Candidate[] {
  const deterministic = createWasmBackend({ threads: 2, deterministic: true });
  const found: Candidate[] = [
    { name: "reference", backend: device("reference"), maxLength: REFERENCE_MAX_LENGTH, dispose: () => {} },
    wasmCandidate("wasm, deterministic", deterministic),
  ];
  const relaxed = createWasmBackend({ threads: 2 });
  if (relaxed.info().relaxedSimd) found.push(wasmCandidate("wasm, relaxed SIMD", relaxed));
  else relaxed.dispose();
  return found;
}

function wasmCandidate(name: string, backend: ReturnType<typeof createWasmBackend>): Candidate {
  return { name, backend, maxLength: Number.POSITIVE_INFINITY, dispose: () => backend.dispose() };
}
