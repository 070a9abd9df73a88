import { describe, expect, it, vi } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import type { WasmBackend } from "../../src/backends/wasm/index.ts";
import type { MatrixEncoding } from "../../src/encodings/index.ts";
import { targetLogProbsOp } from "../../src/ops/cross-entropy.ts";
import { matmulOp } from "../../src/ops/matmul.ts";
import { logSoftmaxOp } from "../../src/ops/softmax.ts";
import {
  firstDifference,
  float32,
  generator,
  type HostView,
  largestError,
  randomFloats,
  runReference,
  wasmBackends,
} from "../wasm-kernels/harness.ts";
import { execute, pack, upload } from "./packed-operands.ts";

const backends = wasmBackends();
const [{ backend: single }] = backends as [(typeof backends)[number]];
const encodings: readonly MatrixEncoding[] = ["f32", "bf16", "int8"];

// A vocabulary like GPT-2's: the logits of some 80 rows exist at once.
const V = 50_257;
const K = 12;
const R = 170;
const random = generator(9);
const x = randomFloats([R, K], random);
const w = randomFloats([K, V], random);
const targets: HostView = {
  data: Int32Array.from({ length: R }, () => Math.floor(random() * V)),
  dtype: "int32",
  shape: [R],
  strides: [1],
  offset: 0,
};

const rowsOf = (view: HostView, first: number, count: number): HostView => ({
  ...view,
  shape: [count, ...view.shape.slice(1)],
  offset: first * view.strides[0]!,
});

/** logProbs and logSumExp of `count` rows from row `first` on. */
function run(backend: WasmBackend, weight: View, first = 0, count = R): [Float32Array, Float32Array] {
  const inputs = [upload(backend, rowsOf(x, first, count)), weight, upload(backend, rowsOf(targets, first, count))];
  const outputs = [0, 1].map(() => wholeView(backend.allocate("float32", count), [count]));
  for (const { storage } of outputs) storage.retain();
  backend.execute(targetLogProbsOp, inputs, undefined, outputs);
  const results = outputs.map(({ storage }) => backend.readSync(storage).slice());
  for (const { storage } of [...outputs, inputs[0]!, inputs[2]!]) storage.release();
  return results as [Float32Array, Float32Array];
}

/** As run, through all logits. */
function stepByStep(backend: WasmBackend, weight: View): Float32Array {
  const logits = execute(backend, matmulOp, [x, weight], undefined, [R, V]);
  const logProbs = execute(backend, logSoftmaxOp, [float32(logits, [R, V])], undefined, [R, V]);
  return Float32Array.from({ length: R }, (_, row) => logProbs[row * V + targets.data[row]!]!);
}

describe("log-probabilities of targets on wasm", () => {
  it.for(encodings)("with weights of %s have the bits of the logits' own, on any threads, in any block", (encoding) => {
    let expected: readonly Float32Array[] | undefined;
    for (const { name, backend } of backends) {
      const weight = pack(backend, w, encoding);
      const all = run(backend, weight);
      expect(firstDifference(all[0], stepByStep(backend, weight))).toBe(-1);
      for (const [first, count] of [
        [0, 1],
        [79, 3],
        [169, 1],
        [1, 81],
      ] as const) {
        for (const [i, part] of run(backend, weight, first, count).entries()) {
          expect(firstDifference(part, all[i]!.subarray(first, first + count))).toBe(-1);
        }
      }
      weight.storage.release();
      if (name === "relaxed") continue; // rounds otherwise
      expected ??= all;
      expect(all).toEqual(expected);
      expect(backend.fallbacks.entries()).toEqual([]);
    }
  });

  it("are those of the reference", () => {
    const rows = 7;
    const specs = [0, 1].map(() => ({ dtype: "float32", shape: [rows] }) as const);
    const inputs = [rowsOf(x, 0, rows), w, rowsOf(targets, 0, rows)];
    const expected = runReference(targetLogProbsOp, inputs, undefined, specs);
    const weight = upload(single, w); // not packed
    for (const [i, part] of run(single, weight, 0, rows).entries())
      expect(largestError(part, expected[i]!)).toBeLessThan(4e-6);
    weight.storage.release();
  });

  it.for(encodings)("with weights of %s take no memory for the logits of all rows", (encoding) => {
    const weight = pack(single, w, encoding);
    const { memory } = single.runtime;
    const before = memory.used;
    let most = 0;
    const allocate = memory.allocate.bind(memory);
    const spy = vi.spyOn(memory, "allocate").mockImplementation((bytes) => {
      const block = allocate(bytes);
      most = Math.max(most, memory.used - before);
      return block;
    });
    run(single, weight);
    spy.mockRestore();
    expect(most).toBeLessThan(18 * 2 ** 20); // all logits would be 34 MB
    expect(memory.used).toBe(before);
    weight.storage.release();
  });
});
