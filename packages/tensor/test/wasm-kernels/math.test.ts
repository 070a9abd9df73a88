import { describe, expect, it } from "vitest";
import type { Op } from "../../src/backends/backend.ts";
import * as float64 from "../../src/backends/reference/math.ts";
import * as ops from "../../src/ops/unary.ts";
import { firstDifference, float32, generator, runOn, wasmBackends } from "./harness.ts";

const backends = wasmBackends("one thread", "two threads", "relaxed");

interface Claim {
  readonly op: Op;
  /** In float64, exact to a unit of its last place or two: what a correctly rounded result is rounded from. */
  readonly exact: (x: number) => number;
  /** The largest error measured, rounded up, in units of the last place of float32. */
  readonly ulps: number;
  /** An error that may stand instead: where a function's result is a vanishing tail of its operand. */
  readonly abs?: number;
}

const claims: readonly Claim[] = [
  { op: ops.expOp, exact: float64.exp, ulps: 1 },
  { op: ops.expm1Op, exact: float64.expm1, ulps: 1.5 },
  { op: ops.logOp, exact: float64.log, ulps: 1 },
  { op: ops.log1pOp, exact: float64.log1p, ulps: 1.5 },
  { op: ops.tanhOp, exact: float64.tanh, ulps: 1.5 },
  { op: ops.sigmoidOp, exact: float64.sigmoid, ulps: 2.5 },
  { op: ops.erfOp, exact: float64.erf, ulps: 1.5 },
  // Below -1, e^(…) magnifies the rounding of its large exponent; 2⁻²⁴ is half a unit in the last place of 1.
  { op: ops.geluOp, exact: float64.geluTanh, ulps: 2.5, abs: 2 ** -24 },
  { op: ops.geluExactOp, exact: float64.geluErf, ulps: 7, abs: 2 ** -145 },
  { op: ops.siluOp, exact: float64.silu, ulps: 3, abs: 2 ** -142 },
  { op: ops.quickGeluOp, exact: float64.quickGelu, ulps: 3, abs: 2 ** -24 },
];

/** Every exponent and sign, with mantissas at random; more of them where functions bend; the special values. */
function operands(): Float32Array {
  const random = generator(11);
  const perExponent = 256;
  const bits = new Uint32Array(512 * perExponent);
  for (let i = 0; i < bits.length; i++) bits[i] = ((i % 512) << 23) | Math.floor(random() * 2 ** 23);
  const bends = Array.from({ length: 60_000 }, () => (random() - 0.5) * 220);
  const small = Array.from({ length: 60_000 }, () => (random() - 0.5) * 12);
  const specials = [0, -0, 1, -1, Infinity, -Infinity, NaN, 2 ** -149, -(2 ** -149), 2 ** -126, 3.4028234663852886e38];
  const edges = [88.72283, 88.72284, -87.33655, -103.97207, -103.97208, -103.9721, 0.625, 1, 9.010913, -17.32868];
  return Float32Array.from([...new Float32Array(bits.buffer), ...bends, ...small, ...specials, ...edges]);
}

function ulp(x: number): number {
  const size = Math.abs(x);
  return size < 2 ** -126 ? 2 ** -149 : 2 ** (Math.floor(Math.log2(size)) - 23);
}

/** The worst error in ulps among errors above `abs`, and where. */
function worst(
  x: Float32Array,
  actual: ArrayLike<number>,
  exact: (x: number) => number,
  abs: number,
): [number, number] {
  let largest = 0;
  let where = 0;
  for (let i = 0; i < x.length; i++) {
    const wanted = exact(x[i]!);
    const got = actual[i]!;
    if (Object.is(got, Math.fround(wanted))) continue;
    const error = Math.abs(got - wanted);
    const inUlps = Number.isFinite(Math.fround(wanted)) ? (error <= abs ? 0 : error / ulp(wanted)) : Infinity;
    if (Number.isNaN(inUlps) || inUlps > largest) {
      largest = Number.isNaN(inUlps) ? Infinity : inUlps;
      where = x[i]!;
    }
  }
  return [largest, where];
}

describe("elementary functions on wasm, over all of float32", () => {
  const x = operands();
  for (const { op, exact, ulps, abs = 0 } of claims) {
    it(`${op.name} errs by at most ${ulps} ulp${abs ? ` or ${abs}` : ""}, and keeps signs of zero, infinities and NaN`, () => {
      for (const { name, backend } of backends) {
        if (name === "two threads") continue;
        const [actual] = runOn(backend, op, [float32(x, [x.length])], undefined, [
          { dtype: "float32", shape: [x.length] },
        ]);
        const [error, where] = worst(x, actual!, exact, abs);
        expect(error, `${name}, at ${where}`).toBeLessThanOrEqual(ulps);
      }
    });

    it(`${op.name} gives an element the same bits at every place and on any number of threads`, () => {
      const some = x.filter((_, i) => i % 16 === 0);
      const { length } = some;
      const shifted = new Float32Array(length + 3);
      shifted.set(some, 3);
      const output = [{ dtype: "float32", shape: [length] }] as const;
      for (const { name, backend } of backends) {
        const [whole] = runOn(backend, op, [float32(some, [length])], undefined, output);
        const [moved] = runOn(backend, op, [float32(shifted, [length], [1], 3)], undefined, output);
        const [tail] = runOn(backend, op, [float32(some.slice(-3), [3])], undefined, [
          { dtype: "float32", shape: [3] },
        ]);
        expect(firstDifference(moved!, whole!), name).toBe(-1);
        expect(firstDifference(tail!, whole!.slice(-3)), name).toBe(-1);
        if (name !== "relaxed") {
          const [first] = runOn(backends[0]!.backend, op, [float32(some, [length])], undefined, output);
          expect(firstDifference(whole!, first!), name).toBe(-1);
        }
      }
    });
  }
});
