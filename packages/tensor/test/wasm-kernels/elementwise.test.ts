import { describe, expect, it } from "vitest";
import type { Op } from "../../src/backends/backend.ts";
import type { DType } from "../../src/dtype.ts";
import * as binaryOps from "../../src/ops/binary.ts";
import * as ops from "../../src/ops/unary.ts";
import { contiguousStrides, sizeOf } from "../../src/shape.ts";
import { firstDifference, generator, type HostView, runOn, runReference, scattered, wasmBackends } from "./harness.ts";

// Every element is computed alone, so one pool of threads stands for all.
const backends = wasmBackends("two threads", "relaxed");

const shapes = [
  [],
  [1],
  [0],
  [3],
  [4],
  [7],
  [2, 0, 3],
  [1, 5, 1],
  [3, 4],
  [5, 3, 2],
  [2, 3, 4, 5],
  [33, 17],
  [70_001],
  [170, 401],
];
const awkward = [0, -0, 1, -1, Infinity, -Infinity, NaN, 2 ** -149, 3.4e38, -3.4e38, 2.5, -2.5, 0.5, 1.5, 2 ** 23 + 1];
const awkwardInts = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 7, -7];

function operand(dtype: DType, shape: readonly number[], random: () => number): HostView {
  const size = sizeOf(shape);
  const pick = (from: readonly number[]) => from[Math.floor(random() * from.length)]!;
  const strides = contiguousStrides(shape);
  const common = { dtype, shape, strides, offset: 0 };
  if (dtype === "float32") {
    const value = () => (random() < 0.2 ? pick(awkward) : (random() - 0.5) * 20);
    return { ...common, data: Float32Array.from({ length: size }, value) };
  }
  if (dtype === "int32") {
    const value = () => (random() < 0.2 ? pick(awkwardInts) : Math.floor((random() - 0.5) * 200));
    return { ...common, data: Int32Array.from({ length: size }, value) };
  }
  return {
    ...common,
    data: Uint8Array.from({ length: size }, () => Math.floor(random() * (dtype === "bool" ? 2 : 256))),
  };
}

/** A view of this shape: contiguous, scattered, or stretched from fewer elements by strides of 0. */
function anyView(dtype: DType, shape: readonly number[], random: () => number): HostView {
  const kind = random();
  if (kind < 0.3) return operand(dtype, shape, random);
  const stretched = shape.map((size) => (kind > 0.6 && random() < 0.5 ? 1 : size));
  const view =
    random() < 0.5 ? operand(dtype, stretched, random) : scattered(operand(dtype, stretched, random), random);
  return {
    ...view,
    shape,
    strides: view.strides.map((stride, axis) => (stretched[axis] === shape[axis] ? stride : 0)),
  };
}

interface Signature {
  readonly op: Op<never>;
  readonly inputs: readonly DType[];
  readonly output: DType;
  readonly params?: unknown;
}

const { addOp, subOp, mulOp, divOp, maximumOp, minimumOp, eqOp, neOp, ltOp, leOp, gtOp, geOp } = binaryOps;
const { negOp, absOp, signOp, squareOp, sqrtOp, reciprocalOp, reluOp, floorOp, ceilOp, roundOp } = ops;
const f = "float32";
const i = "int32";
const u = "uint8";
const b = "bool";
/** Ops of which there is one right result. The others are held to their errors in math.test.ts. */
const exact: readonly Signature[] = [
  ...[addOp, subOp, mulOp, divOp, maximumOp, minimumOp].map((op) => ({ op, inputs: [f, f], output: f }) as const),
  ...[addOp, subOp, mulOp, maximumOp, minimumOp].map((op) => ({ op, inputs: [i, i], output: i }) as const),
  ...[eqOp, neOp, ltOp, leOp, gtOp, geOp].flatMap((op) => [
    { op, inputs: [f, f], output: b } as const,
    { op, inputs: [i, i], output: b } as const,
  ]),
  ...[eqOp, neOp, binaryOps.logicalAndOp, binaryOps.logicalOrOp].map(
    (op) => ({ op, inputs: [b, b], output: b }) as const,
  ),
  ...[negOp, absOp, signOp, squareOp, sqrtOp, reciprocalOp, reluOp, floorOp, ceilOp, roundOp].map(
    (op) => ({ op, inputs: [f], output: f }) as const,
  ),
  ...[negOp, absOp, squareOp].map((op) => ({ op, inputs: [i], output: i }) as const),
  { op: ops.logicalNotOp, inputs: [b], output: b },
  { op: ops.isNaNOp, inputs: [f], output: b },
  ...([f, i, u, b] as const).flatMap((from) =>
    ([f, i, u, b] as const).map(
      (to) => ({ op: ops.castOp, inputs: [from], output: to, params: { dtype: to } }) as const,
    ),
  ),
  { op: binaryOps.whereOp, inputs: [b, f, f], output: f },
  { op: binaryOps.whereOp, inputs: [b, i, i], output: i },
];

describe("elementwise ops on wasm", () => {
  for (const { op, inputs, output, params } of exact) {
    it(`${op.name} of ${inputs.join(", ")} to ${output} is the reference's result, for any strides and broadcasts`, () => {
      const random = generator(op.name.length * 31 + inputs.length);
      for (const shape of shapes) {
        const views = inputs.map((dtype) => anyView(dtype, shape, random));
        const specs = [{ dtype: output, shape }];
        const [expected] = runReference(op as Op<unknown>, views, params, specs);
        for (const { name, backend } of backends) {
          const [actual] = runOn(backend, op as Op<unknown>, views, params, specs);
          const at = firstDifference(actual!, expected!);
          expect(at, `${name}, [${shape}]: ${actual![at]}, not ${expected![at]}`).toBe(-1);
        }
      }
      for (const { backend } of backends) expect(backend.fallbacks.entries()).toEqual([]);
    });
  }
});
