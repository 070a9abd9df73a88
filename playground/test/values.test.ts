import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placesOf } from "../../packages/gpt2/src/look/places.ts";
import { elementName, explained, matrixOf, rowOf } from "../src/code/values.ts";
import { bitsOf, shownBits, shownNumber, shownShare, signedNumber } from "../src/heat/numbers.ts";
import { colourOf, limitOf, pixelsOf } from "../src/heat/paint.ts";
import { nameOf, toggled } from "../src/inside/switches.ts";
import { rowsOf, windowAround } from "../src/inside/windows.ts";

const [T, H, D] = [5, 3, 2];
const place = (name: string, axes: readonly string[]) => ({ name, axes, lines: [1], writable: true });
const counted = (length: number) => Float32Array.from({ length }, (_, i) => i);
const values = {
  rows: [2, 4] as const,
  trace: {
    ids: [1, 2, 3, 4, 5],
    tokens: ["a", "b", "c", "d", "e"],
    values: [
      { ...place("x.0", ["T", "C"]), shape: [2, H * D], data: counted(2 * H * D) },
      { ...place("h.0.attn.y", ["T", "H", "D"]), shape: [2, H, D], data: counted(2 * H * D) },
      { ...place("h.0.attn.pattern", ["H", "T", "T"]), shape: [H, 2, T], data: counted(H * 2 * T) },
    ],
  },
} as never;

describe("values as matrices", () => {
  it("have a row for each token, of the chosen head", () => {
    expect(matrixOf(values, "x.0", 1)).toMatchObject({ columns: 6, shape: [5, 6], firstRow: 2, head: undefined });
    const y = matrixOf(values, "h.0.attn.y", 1)!;
    expect([...y.data]).toEqual([2, 3, 8, 9]);
    expect(y).toMatchObject({ columns: D, shape: [T, H, D], axes: ["T", "H", "D"] });
    const head = matrixOf(values, "h.0.attn.head.2", 2)!;
    expect([...head.data]).toEqual([4, 5, 10, 11]);
    expect(head).toMatchObject({ place: "h.0.attn.head.2", columns: D, shape: [T, D], axes: ["T", "D"] });
    const pattern = matrixOf(values, "h.0.attn.pattern", 2)!;
    expect([...pattern.data]).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    expect(pattern.shape).toEqual([H, T, T]);
    expect(matrixOf(values, "lnF", 0)).toBeUndefined();
  });

  it("name their elements as a program would", () => {
    expect(elementName(matrixOf(values, "x.0", 1)!, 1, 5)).toBe("x.0[3, 5]");
    expect(elementName(matrixOf(values, "h.0.attn.y", 1)!, 0, 1)).toBe("h.0.attn.y[2, 1, 1]");
    expect(elementName(matrixOf(values, "h.0.attn.head.1", 1)!, 0, 1)).toBe("h.0.attn.head.1[2, 1]");
    expect(elementName(matrixOf(values, "h.0.attn.pattern", 2)!, 1, 4)).toBe("h.0.attn.pattern[2, 3, 4]");
  });

  it("have the rows that there are", () => {
    const x = matrixOf(values, "x.0", 0)!;
    expect([...rowOf(x, 3)!]).toEqual([6, 7, 8, 9, 10, 11]);
    expect([rowOf(x, 1), rowOf(x, 4)]).toEqual([undefined, undefined]);
  });

  it("are explained, whatever the place", () => {
    const config = { nLayer: 12, nHead: 12, nEmbd: 24, nInner: 96, vocabSize: 16, nPositions: 8 } as never;
    for (const name of placesOf(config).keys()) expect(explained(name), name).not.toBe("");
  });
});

describe("numbers", () => {
  it("are shown with six digits and a minus sign", () => {
    expect([0, 1 / 3, -1234.5678, 1e-9, -Infinity, NaN].map(shownNumber)).toEqual([
      "0.00000",
      "0.333333",
      "−1234.57",
      "1.00000e-9",
      "−∞",
      "NaN",
    ]);
    expect([0.001, -0.001, 1.5, -2].map((value) => signedNumber(value))).toEqual(["0.00", "0.00", "+1.50", "−2.00"]);
    expect([shownShare(1), shownShare(0.12345), shownBits(bitsOf(0.125)), shownBits(bitsOf(0)), bitsOf(1)]).toEqual([
      "100.00 %",
      "12.35 %",
      "3.00",
      "∞",
      0,
    ]);
  });
});

describe("colours of values", () => {
  const palette = { up: [1, 2, 3], down: [4, 5, 6], share: [7, 8, 9] } as const;

  it("say sign and strength; what is not seen has none", () => {
    expect([...pixelsOf([1, -1, 0, -Infinity], 2, 2, "signed", palette, 1)]).toEqual([
      ...[1, 2, 3, 255, 4, 5, 6, 255],
      ...[1, 2, 3, 0, 4, 5, 6, 0],
    ]);
    expect([...pixelsOf([0.25, 1], 2, 2, "share", palette)]).toEqual([7, 8, 9, 128, 7, 8, 9, 255]);
  });

  it("show the strongest of the values that share a pixel", () => {
    const some = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(some, fc.nat(), (row, seed) => {
        const width = 1 + (seed % row.length);
        const shown = pixelsOf(row, row.length, width, "signed", palette, 1);
        const strongest = Math.max(...row.map(Math.abs)) ** 0.75 * 255;
        expect(Math.max(...shown.filter((_, i) => i % 4 === 3))).toBeCloseTo(strongest, -0.4);
      }),
    );
  });

  it("are not made faint by one large value among many", () => {
    const many = Float32Array.from({ length: 1000 }, (_, i) => (i === 500 ? 3000 : i % 10));
    expect(limitOf(many)).toBe(9);
    expect(limitOf([0, 0])).toBe(1);
    expect(limitOf([])).toBe(1);
    expect(limitOf([-Infinity, -3])).toBe(3);
  });

  it("are read as browsers tell them", () => {
    expect(colourOf("rgb(11, 138, 106)")).toEqual([11, 138, 106]);
    expect(() => colourOf("green")).toThrow(/^expected a colour such as/);
  });
});

describe("what is looked at of a long text", () => {
  it("has the chosen token in it, is as long as it may be, and stays while its neighbours are chosen", () => {
    const sizes = fc.record({
      length: fc.integer({ min: 1, max: 300 }),
      size: fc.integer({ min: 1, max: 64 }),
      at: fc.nat(),
    });
    fc.assert(
      fc.property(sizes, ({ length, size, at }) => {
        const chosen = at % length;
        const [start, end] = windowAround(chosen, length, size);
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(length);
        expect(end - start).toBe(Math.min(length, size));
        expect(chosen).toBeGreaterThanOrEqual(start);
        expect(chosen).toBeLessThan(end);
      }),
    );
    const starts = Array.from({ length: 256 }, (_, t) => windowAround(t, 256, 64)[0]);
    expect(new Set(starts).size).toBeLessThan(9);
  });

  it("is small enough to be copied", () => {
    expect([rowsOf(128), rowsOf(3072), rowsOf(50257), rowsOf(5e6)]).toEqual([64, 64, 20, 1]);
  });
});

describe("switches", () => {
  it("are told in words, and kept in the order of a pass", () => {
    expect(["h.10.attn.head.2", "h.3.mlp.cProj", "x.0"].map(nameOf)).toEqual([
      "head 2 of layer 10",
      "MLP of layer 3",
      "x.0",
    ]);
    let off: string[] = [];
    for (const place of ["h.10.mlp.cProj", "h.2.mlp.cProj", "h.2.attn.head.11", "h.2.attn.head.3"])
      off = toggled(off, place);
    expect(off).toEqual(["h.2.attn.head.3", "h.2.attn.head.11", "h.2.mlp.cProj", "h.10.mlp.cProj"]);
    expect(toggled(off, "h.2.mlp.cProj")).toEqual(["h.2.attn.head.3", "h.2.attn.head.11", "h.10.mlp.cProj"]);
  });
});
