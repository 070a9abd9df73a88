/** The matrix product of `@gpt2-ts/tensor` on its wasm backend. */
import { type Backend, createWasmBackend, fromData } from "@gpt2-ts/tensor";
import type { MatmulEngine, MatmulSpec } from "./matmul-engine.ts";

export async function loadGpt2TsMatmul(spec: MatmulSpec): Promise<MatmulEngine> {
  const device = createWasmBackend({ threads: spec.threads, deterministic: spec.deterministic ?? false });
  const { threads, relaxedSimd } = device.info();
  return { facts: { engine: "gpt2-ts", backend: "wasm", threads, relaxedSimd }, prepare: productsOn(device) };
}

/** Prepares products on a backend, with the operands there before the first run. */
export function productsOn(device: Backend): MatmulEngine["prepare"] {
  return async (a, b, m, k, n) => {
    const left = fromData(a, [m, k], { device });
    const right = fromData(b, [k, n], { device });
    return {
      async run() {
        using product = left.matmul(right);
        return await product.data();
      },
      dispose() {
        left.dispose();
        right.dispose();
      },
    };
  };
}
