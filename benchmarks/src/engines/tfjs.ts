/** TensorFlow.js on its wasm backend with SIMD. It declares its threads unsupported in Node: one thread. */
import { join } from "node:path";
import type { MatmulEngine } from "./matmul-engine.ts";
import { peerFolder, peerVersion, requirePeer } from "./peers.ts";

export interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}
interface TfCore {
  setBackend(name: "wasm"): Promise<boolean>;
  getBackend(): string;
  env(): { getAsync(flag: string): Promise<boolean> };
}
interface TfProducts {
  tensor2d(data: Float32Array, shape: readonly [number, number]): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
}
interface TfWasm {
  setWasmPaths(folder: string): void;
}

/** The library on its wasm backend, and what to say of it. `Used` is what the caller relies on of it. */
export async function openTfjs<Used>(): Promise<{ readonly tf: Used; readonly facts: MatmulEngine["facts"] }> {
  const tf = requirePeer<TfCore & Used>("@tensorflow/tfjs-core");
  requirePeer<TfWasm>("@tensorflow/tfjs-backend-wasm").setWasmPaths(
    join(peerFolder("@tensorflow/tfjs-backend-wasm"), "dist/"),
  );
  if (!(await tf.setBackend("wasm")) || tf.getBackend() !== "wasm")
    throw new Error("TensorFlow.js has no wasm backend here");
  const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
  return {
    tf,
    facts: { engine: "tfjs", backend: "wasm", threads: 1, simd, version: peerVersion("@tensorflow/tfjs-core") },
  };
}

export async function loadTfjs(): Promise<MatmulEngine> {
  const { tf, facts } = await openTfjs<TfProducts>();
  return {
    facts,
    async prepare(a, b, m, k, n) {
      const left = tf.tensor2d(a, [m, k]);
      const right = tf.tensor2d(b, [k, n]);
      return {
        async run() {
          const product = tf.matMul(left, right);
          const data = product.dataSync();
          product.dispose();
          return data;
        },
        dispose() {
          left.dispose();
          right.dispose();
        },
      };
    },
  };
}
