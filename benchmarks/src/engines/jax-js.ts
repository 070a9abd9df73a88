/** jax-js on its wasm backend. Its worker pool needs a global `Worker`, which Node does not have: one thread. */

import type { MatmulEngine } from "./matmul-engine.ts";
import { importPeer, peerVersion } from "./peers.ts";

/** An array of jax-js counts references: every use consumes one, `ref` adds one. */
interface JaxArray {
  readonly ref: JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface Jax {
  init(device: "wasm"): Promise<unknown>;
  defaultDevice(device: "wasm"): unknown;
  jit(f: (a: JaxArray, b: JaxArray) => JaxArray): (a: JaxArray, b: JaxArray) => JaxArray;
  readonly numpy: { array(data: Float32Array): JaxArray; matmul(a: JaxArray, b: JaxArray): JaxArray };
}

export async function loadJaxJs(): Promise<MatmulEngine> {
  const { init, defaultDevice, jit, numpy } = await importPeer<Jax>("@jax-js/jax", "dist/index.js");
  await init("wasm");
  defaultDevice("wasm");
  const matmul = jit((a, b) => numpy.matmul(a, b));
  return {
    facts: { engine: "jax-js", backend: "wasm", threads: 1, version: peerVersion("@jax-js/jax") },
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
