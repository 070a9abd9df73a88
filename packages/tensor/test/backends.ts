import { describe } from "vitest";
import type { Backend } from "../src/backends/backend.ts";
import { referenceBackend } from "../src/backends/reference/index.ts";
import { createWasmBackend } from "../src/backends/wasm/index.ts";

/** Every backend that results are tested on; one instance each per test file. */
export const backends: readonly { readonly title: string; readonly backend: Backend }[] = [
  { title: "reference", backend: referenceBackend },
  { title: "wasm, 1 thread", backend: createWasmBackend({ threads: 1, deterministic: true }) },
  { title: "wasm, 2 threads", backend: createWasmBackend({ threads: 2, deterministic: true }) },
  { title: "wasm, relaxed SIMD where there is any", backend: createWasmBackend({ threads: 2 }) },
];

/** The backends whose results are compared with the reference's. */
export const otherBackends = backends.filter(({ backend }) => backend !== referenceBackend);

/** Declares the same tests once per backend. */
export function describeOnEveryBackend(title: string, suite: (backend: Backend) => void): void {
  for (const { title: on, backend } of backends) describe(`${title} (${on})`, () => suite(backend));
}
