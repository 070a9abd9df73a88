import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as math from "../../src/backends/reference/math.ts";
import type { JsonNumber } from "./operands.ts";

// [x, f(x)] and, for pow, [x, y, xʸ]: float64 nearest to the true value, from fixtures/make_math_fixtures.py (mpmath).
const fixtures: Record<string, JsonNumber[][]> = JSON.parse(
  readFileSync(new URL("fixtures/math.json", import.meta.url), "utf8"),
);

/** Units of the last place of float64 that a result may be off. */
const bounds: Readonly<Record<string, { readonly f: (x: number, y: number) => number; readonly ulps: number }>> = {
  exp: { f: math.exp, ulps: 1 },
  expm1: { f: math.expm1, ulps: 2 },
  log: { f: math.log, ulps: 1 },
  log1p: { f: math.log1p, ulps: 2 },
  tanh: { f: math.tanh, ulps: 2 },
  sigmoid: { f: math.sigmoid, ulps: 2 },
  erf: { f: math.erf, ulps: 2 },
  erfc: { f: math.erfc, ulps: 6 },
  sin: { f: math.sin, ulps: 1 },
  cos: { f: math.cos, ulps: 1 },
  pow: { f: math.pow, ulps: 2 },
};

function ulp64(x: number): number {
  const size = Math.abs(x);
  return size < 2 ** -1022 ? 2 ** -1074 : 2 ** (Math.floor(Math.log2(size)) - 52);
}

describe("our float64 functions", () => {
  for (const [name, { f, ulps }] of Object.entries(bounds)) {
    it(`${name} lies within ${ulps} ulp of the true value, from the smallest to the largest numbers`, () => {
      const wrong = fixtures[name]!.flatMap((row) => {
        const [x, y, wanted] = (row.length === 3 ? row : [row[0]!, 0, row[1]!]).map(Number) as [number, number, number];
        const got = f(x, y);
        const exact = Object.is(got, wanted);
        const off = exact ? 0 : Math.abs(got - wanted) / ulp64(wanted);
        const zeroSign = wanted === 0 && x === 0 && !exact;
        return off <= ulps && !zeroSign ? [] : [`${name}(${row.slice(0, -1)}) = ${got}, not ${wanted}: ${off} ulp`];
      });
      expect(wrong).toEqual([]);
    });
  }

  const { pow, drawIndex, expInPlace, ...unary } = math;
  const {
    exp,
    expm1,
    log,
    log1p,
    tanh,
    sigmoid,
    erf,
    erfc,
    sin,
    cos,
    geluTanh,
    geluErf,
    silu,
    quickGelu,
    roundHalfEven,
  } = unary;

  it("compute exponentials side by side with the bits of each alone", () => {
    const edges = [0, -0, 1, -1, 699.9, 700, 709.9, 710, -700, -708, -745.2, -746, -800, Infinity, -Infinity, NaN];
    const values = Float64Array.from({ length: 2003 }, (_, i) => (i < edges.length ? edges[i]! : (i - 1500) / 2));
    const shuffled = values.map((_, i) => values[(i * 7) % values.length]!);
    const expected = shuffled.map((x) => exp(x));
    expInPlace(shuffled);
    expect(new BigUint64Array(shuffled.buffer)).toEqual(new BigUint64Array(expected.buffer));
  });

  it("draw the first index at which the running sum exceeds a number, or the last that is possible at all", () => {
    const probabilities = Float64Array.of(0, 0.25, 0, 0.5, 0.125, 0);
    const drawn = [0, 0.2499, 0.25, 0.7499, 0.75, 0.9].map((uniform) => drawIndex(probabilities, uniform));
    expect(drawn).toEqual([1, 1, 3, 3, 4, 4]);
  });

  it("carry NaN through", () => {
    for (const [name, f] of Object.entries(unary)) expect(f(NaN), name).toBeNaN();
    expect(pow(NaN, 2)).toBeNaN();
    expect(pow(2, NaN)).toBeNaN();
  });

  it("have IEEE 754's values at infinity and at poles", () => {
    expect([exp(Infinity), exp(-Infinity), expm1(Infinity), expm1(-Infinity)]).toEqual([Infinity, 0, Infinity, -1]);
    expect([log(Infinity), log(0), log(-0), log(-1), log(-Infinity)]).toEqual([
      Infinity,
      -Infinity,
      -Infinity,
      NaN,
      NaN,
    ]);
    expect([log1p(Infinity), log1p(-1), log1p(-2)]).toEqual([Infinity, -Infinity, NaN]);
    expect([tanh(Infinity), tanh(-Infinity), sigmoid(Infinity), sigmoid(-Infinity)]).toEqual([1, -1, 1, 0]);
    expect([erf(Infinity), erf(-Infinity), erfc(Infinity), erfc(-Infinity)]).toEqual([1, -1, 0, 2]);
    expect([sin(Infinity), cos(-Infinity)]).toEqual([NaN, NaN]);
    for (const gate of [geluTanh, geluErf, silu, quickGelu]) {
      expect([gate(Infinity), gate(-Infinity), gate(0)]).toEqual([Infinity, -0, 0]);
    }
  });

  it("raise to powers by C's rules (C99, F.9.4.4)", () => {
    expect([pow(NaN, 0), pow(1, NaN), pow(1, Infinity), pow(-1, Infinity), pow(-1, -Infinity)]).toEqual([
      1, 1, 1, 1, 1,
    ]);
    expect([pow(-0, 3), pow(-0, 2), pow(-0, -3), pow(-0, -2), pow(0, -0.5)]).toEqual([
      -0,
      0,
      -Infinity,
      Infinity,
      Infinity,
    ]);
    expect([pow(2, Infinity), pow(2, -Infinity), pow(0.5, Infinity), pow(-0.5, -Infinity)]).toEqual([
      Infinity,
      0,
      0,
      Infinity,
    ]);
    expect([pow(Infinity, 2), pow(Infinity, -2), pow(-Infinity, 3), pow(-Infinity, -3)]).toEqual([
      Infinity,
      0,
      -Infinity,
      -0,
    ]);
    expect([pow(-Infinity, 0.5), pow(-Infinity, -0.5), pow(-8, 1 / 3)]).toEqual([Infinity, 0, NaN]);
  });

  it("round halves to even and keep the sign of zero", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -0.2, -0, 2 ** 53 + 2].map(roundHalfEven)).toEqual([
      0,
      2,
      2,
      -0,
      -2,
      -0,
      -0,
      2 ** 53 + 2,
    ]);
  });
});
