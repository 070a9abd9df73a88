/** jax-js on its wasm backend. Its worker pool needs a global `Worker`, which Node does not have: one thread. */

import type { MatmulEngine } from "./matmul-engine.ts";
import { importPeer, peerVersion } from "./peers.ts";

/** An array of jax-js counts references: every use consumes one, `ref` adds one. */
export interface JaxArray {
  readonly ref: JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface JaxCore {
  init(device: "wasm"): Promise<unknown>;
  defaultDevice(device: "wasm"): unknown;
}
interface JaxProducts {
  jit(f: (a: JaxArray, b: JaxArray) => JaxArray): (a: JaxArray, b: JaxArray) => JaxArray;
  readonly numpy: { array(data: Float32Array): JaxArray; matmul(a: JaxArray, b: JaxArray): JaxArray };
}

/** The library on its wasm backend, and what to say of it. `Used` is what the caller relies on of it. */
export async function openJax<Used>(): Promise<{ readonly jax: Used; readonly facts: MatmulEngine["facts"] }> {
  const jax = await importPeer<JaxCore & Used>("@jax-js/jax", "dist/index.js");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  return { jax, facts: { engine: "jax-js", backend: "wasm", threads: 1, version: peerVersion("@jax-js/jax") } };
}

export async function loadJaxJs(): Promise<MatmulEngine> {
  const { jax, facts } = await openJax<JaxProducts>();
  const { jit, numpy } = jax;
  const matmul = jit((a, b) => numpy.matmul(a, b));
  return {
    facts,
    async prepare(a, b, m, k, n) {
      const left = numpy.array(a).reshape([m, k]);
      const right = numpy.array(b).reshape([k, n]);
      return {
        run: () => matmul(left.ref, right.ref).data(),
        dispose() {
          left.dispose();
          right.dispose();
        },
      };
    },
  };
}
