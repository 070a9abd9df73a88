/** What PyTorch's hooks read and change in the Shakespeare model, in float64: oracle/make_fixtures.py. */
import { readFileSync } from "node:fs";
import { fromData, type Tensor } from "@gpt2-ts/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GPT2 } from "../../src/gpt2.ts";
import { contributions, type Hooks, logitLens, run, trace } from "../../src/look/index.ts";
import { largestDifference, SHAKESPEARE } from "../support/models.ts";

interface Change {
  readonly place: string;
  readonly row?: number;
  readonly column?: number;
  readonly scale?: number;
  readonly add?: number;
  /** The value of the other text. */
  readonly other?: true;
}

interface Fixtures {
  readonly ids: readonly number[];
  readonly other: readonly number[];
  readonly every: number;
  readonly lastRows: Readonly<Record<string, readonly number[]>>;
  readonly patterns: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly title: string;
    readonly changes: readonly Change[];
    readonly logits: readonly number[];
  }[];
  readonly lens: Readonly<
    Record<
      string,
      {
        readonly ids: readonly (readonly number[])[];
        readonly probabilities: readonly number[];
        readonly next: readonly number[];
      }
    >
  >;
  readonly contributions: readonly {
    readonly position: number;
    readonly target: number;
    readonly against: number | null;
    readonly logit: number;
    readonly parts: Readonly<Record<string, number>>;
  }[];
}

const fixtures: Fixtures = JSON.parse(readFileSync(new URL("fixtures/pytorch.json", import.meta.url), "utf8"));
const { ids, other, every } = fixtures;

const TOLERANCE = 1e-4;

for (const device of ["reference", "wasm"] as const) {
  describe(`looking inside the Shakespeare model as PyTorch does (${device})`, () => {
    let model: GPT2;
    beforeAll(async () => {
      model = await GPT2.load(SHAKESPEARE, { device });
    });
    afterAll(() => model.dispose());

    it("finds PyTorch's value at each place", async () => {
      const expected = Object.entries(fixtures.lastRows);
      const { values } = await trace(model, ids, { places: expected.map(([place]) => place) });
      const found = new Map(values.map(({ name, data }) => [name, data]));
      expect(found.size).toBe(expected.length);
      for (const [place, row] of expected) {
        expect(largestDifference(found.get(place)!.slice(-row.length), row), place).toBeLessThan(TOLERANCE);
      }
    });

    it("finds PyTorch's attention, and scores whose softmax it is", async () => {
      const { values } = await trace(model, ids, { places: ["h.*.attn.pattern", "h.*.attn.scores"] });
      for (const [i, scores] of values.entries()) {
        if (!scores.name.endsWith("scores")) continue;
        const pattern = values[i + 1]!;
        expect(largestDifference(pattern.data, fixtures.patterns[pattern.name]!), pattern.name).toBeLessThan(1e-6);
        using tensor = fromData(scores.data, scores.shape, { device });
        using softmax = tensor.softmax(-1);
        expect(largestDifference(await softmax.data(), pattern.data), scores.name).toBeLessThan(1e-6);
        expect(scores.data[1]).toBe(-Infinity);
      }
    });

    it.each(fixtures.cases)("has PyTorch's logits with $title", async ({ changes, logits: expected }) => {
      const hooks = Object.fromEntries(
        await Promise.all(changes.map(async (change) => [change.place, await editor(change)])),
      );
      using plain = run(model, ids);
      using logits = run(model, ids, { hooks });
      const data = await logits.data();
      const shown = data.filter((_, i) => (i % model.config.vocabSize) % every === 0);
      expect(largestDifference(shown, expected)).toBeLessThan(TOLERANCE);
      expect(largestDifference(await plain.data(), data)).toBeGreaterThan(100 * TOLERANCE);
    });

    it("finds PyTorch's logit lens", async () => {
      const { layers } = await logitLens(model, ids, { top: 3 });
      expect(layers.map(({ place }) => place)).toEqual(Object.keys(fixtures.lens));
      for (const { place, top, next } of layers) {
        const expected = fixtures.lens[place]!;
        expect(top.map((candidates) => candidates.map(({ id }) => id))).toEqual(expected.ids);
        const probabilities = top.flat().map(({ probability }) => probability);
        expect(largestDifference(probabilities, expected.probabilities), place).toBeLessThan(1e-5);
        expect(largestDifference(next, expected.next), place).toBeLessThan(1e-5);
      }
    });

    it.each(fixtures.contributions)(
      "finds PyTorch's contributions to the logit of $target after token $position",
      async ({ position, target, against, logit, parts }) => {
        const found = await contributions(model, ids, { position, target, ...(against !== null && { against }) });
        expect(found.logit).toBeCloseTo(logit, 4);
        expect(Object.fromEntries(found.parts.map(({ part, logit }) => [part, logit])), "all of them").toEqual(
          Object.fromEntries(Object.entries(parts).map(([part, value]) => [part, expect.closeTo(value, 4)])),
        );
      },
    );

    /** The hook that a case describes. */
    async function editor({
      place,
      row,
      column,
      scale = 1,
      add = 0,
      other: swap,
    }: Change): Promise<NonNullable<Hooks["x.0"]>> {
      const source = swap && (await trace(model, other, { places: [place] })).values[0]!.data;
      return (value: Tensor<readonly number[]>): never => {
        const data = value.dataSync();
        const [rows] = value.shape as readonly [number];
        const columns = data.length / rows;
        for (let i = 0; i < data.length; i++) {
          if (row !== undefined && Math.floor(i / columns) !== row) continue;
          if (source) data[i] = source[i]!;
          else if (column === undefined || i % columns === column) data[i] = data[i]! * scale + add;
        }
        return fromData(data, value.shape, { device: value.device }) as never;
      };
    }
  });
}
