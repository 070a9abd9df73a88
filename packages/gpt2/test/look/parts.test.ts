import type { Tensor } from "@gpt2-ts/tensor";
import { OptionError } from "@gpt2-ts/tensor/options";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GPT2 } from "../../src/gpt2.ts";
import { contributions, logitLens, placesOf, run, startHooks, type TracedValue, trace } from "../../src/look/index.ts";
import { SHAKESPEARE } from "../support/models.ts";

const TEXT = "To be, or not to be";
const T = 7;

let model: GPT2;
beforeAll(async () => {
  model = await GPT2.load(SHAKESPEARE, { device: "wasm" });
});
afterAll(() => model.dispose());

describe("a part of a trace", () => {
  it("is that part of the whole, of every place, to the bit", async () => {
    const places = [...placesOf(model.config).keys()];
    const slice = {
      T: [2, 5],
      H: [1, 3],
      D: [30, 32],
      C: [5, 6],
      F: [0, 512],
      V: [1000, 1024],
      "3C": [100, 300],
    } as const;
    const whole = await trace(model, TEXT, { places });
    const part = await trace(model, TEXT, { places, slice });
    expect(part.tokens).toEqual(whole.tokens);
    expect(part.values.map(({ name }) => name)).toEqual(places);
    for (const [i, value] of part.values.entries()) {
      const own = whole.values[i]!;
      const ranges = own.axes.map((axis, k) => (own.axes.indexOf(axis) < k ? [0, own.shape[k]!] : slice[axis]));
      expect(value, value.name).toEqual({ ...own, ...elements(own, ranges as [number, number][]) });
    }
  });

  it("leaves nothing in memory", async () => {
    const { device } = model.model.weights.wte;
    const used = (): number => (device as unknown as { info(): { usedBytes: number } }).info().usedBytes;
    await trace(model, TEXT);
    const before = used();
    await trace(model, TEXT, { slice: { T: [2, 5], H: [1, 3] } });
    await logitLens(model, TEXT, { positions: [2, 5], places: ["x.1"] });
    expect(used()).toBe(before);
  });

  it.each([
    [{ T: [0, 8] }, /^slice: T: expected \[start, end\], 0 ≤ start < end ≤ 7, got /],
    [{ H: [1, 1] }, /^slice: H: expected \[start, end\], 0 ≤ start < end ≤ 4, got /],
    [{ T: [0.5, 2] }, /^slice: T: expected/],
    [{ T: 3 }, /^slice: T: expected .*, got 3$/],
    [{ F: [0, 1] }, /^slice: none of the places has an axis "F"$/],
    [{ Q: [0, 1] }, /^slice: none of the places has an axis "Q"$/],
    [5, /^slice: expected ranges by the letters of axes, got 5$/],
  ])("refuses %j", async (slice, problem) => {
    const asked = trace(model, TEXT, { places: ["h.0.attn.pattern", "x.0"], slice: slice as never });
    await expect(asked).rejects.toThrow(problem);
    await expect(asked).rejects.toThrow(OptionError);
  });
});

/** The part of a value between `[start, end]` of each axis. */
function elements({ shape, data }: TracedValue, ranges: readonly [number, number][]) {
  let indices = [0];
  for (const [axis, [start, end]] of ranges.entries()) {
    const inAxis = Array.from({ length: end - start }, (_, i) => start + i);
    indices = indices.flatMap((index) => inAxis.map((i) => index * shape[axis]! + i));
  }
  return { shape: ranges.map(([start, end]) => end - start), data: Float32Array.from(indices, (i) => data[i]!) };
}

describe("the logit lens of some layers and positions", () => {
  it("is that part of the whole", async () => {
    const whole = await logitLens(model, TEXT, { top: 3 });
    const part = await logitLens(model, TEXT, { top: 3, places: ["x.4", "x.1"], positions: [4, T] });
    expect(part.tokens).toEqual(whole.tokens);
    expect(part.layers.map(({ place }) => place)).toEqual(["x.1", "x.4"]);
    for (const layer of part.layers) {
      const { top, next } = whole.layers.find(({ place }) => place === layer.place)!;
      expect(layer.top).toEqual(top.slice(4));
      expect(layer.next).toEqual(next.slice(4));
      expect(layer.next).toHaveLength(2);
    }
    const middle = await logitLens(model, TEXT, { top: 3, positions: [0, 2] });
    expect(middle.layers.map(({ next }) => next)).toEqual(whole.layers.map(({ next }) => next.slice(0, 2)));
  });

  it("refuses what is no layer, and positions that there are not", async () => {
    await expect(logitLens(model, TEXT, { places: ["lnF"] })).rejects.toThrow(
      /^places: lnF is no layer: expected x\.0 to x\.4$/,
    );
    await expect(logitLens(model, TEXT, { places: ["x.5"] })).rejects.toThrow(/^places: there is no place "x\.5"/);
    await expect(logitLens(model, TEXT, { positions: [3, 8] })).rejects.toThrow(
      /^positions: expected \[start, end\], 0 ≤ start < end ≤ 7, got /,
    );
  });
});

describe("hooks that were started", () => {
  const places = [
    "wte",
    "wpe",
    "x.0",
    "x.2",
    "h.0.attn.cAttn",
    "h.1.attn.head.1",
    "h.0.attn.y",
    "h.1.attn.cProj",
    "h.2.attended",
    "h.2.mlp.cProj",
    "lnF",
  ];

  it.each(places)("change a pass with hooks of its own as if they were among those: %s off", async (place) => {
    const changes = { ablate: [place] };
    const wanted = { places: [place, "x.*", "logits"] };
    const expected = await trace(model, TEXT, { ...wanted, ...changes });
    const stop = startHooks(model, changes);
    const seen = await trace(model, TEXT, wanted);
    stop();
    expect(seen).toEqual(expected);
    expect(new Set(seen.values.find(({ name }) => name === place)!.data)).toEqual(new Set([0]));
  });

  it("change the logit lens and contributions, which add up", async () => {
    for (const place of ["wte", "h.2.mlp.cProj", "h.0.attn.head.3"]) {
      const [expectedLens, expectedParts] = [
        await logitLens(model, TEXT, { ablate: [place] }),
        await contributions(model, TEXT, { ablate: [place] }),
      ];
      const stop = startHooks(model, { ablate: [place] });
      const lens = await logitLens(model, TEXT);
      const { logit, parts } = await contributions(model, TEXT);
      stop();
      expect(lens).toEqual(expectedLens);
      expect(logit).toBe(expectedParts.logit);
      expect(parts).toEqual(expectedParts.parts);
      expect(parts.reduce((sum, part) => sum + part.logit, 0)).toBeCloseTo(logit, 3);
    }
  });

  it("find the values that other hooks have put in place", async () => {
    using expected = run(model, TEXT, { ablate: ["h.2.mlp.cProj", "x.3", "h.0.attn.head.1"] });
    const stops = ["h.2.mlp.cProj", "x.3", "h.0.attn.head.1"].map((place) => startHooks(model, { ablate: [place] }));
    using logits = model.logits(TEXT);
    for (const stop of stops) stop();
    expect(await logits.data()).toEqual(await expected.data());
  });

  it("leave a pass alone that asks for it, and hold again after it", async () => {
    const options = { alone: true, ablate: ["h.1.attn.head.0"] };
    const looks = () =>
      Promise.all([
        trace(model, TEXT, { ...options, places: ["x.*", "logits"] }),
        logitLens(model, TEXT, options),
        contributions(model, TEXT, options),
      ]);
    const plain = await looks();
    const double = (value: Tensor<readonly number[]>) => value.mul(2) as never;
    const stop = startHooks(model, { ablate: ["h.2.mlp.cProj"], hooks: { lnF: double, logits: double, wte: double } });
    const alone = await looks();
    const { values } = await trace(model, TEXT, { places: ["h.2.mlp.cProj"] });
    stop();
    expect(alone).toEqual(plain);
    expect(values[0]!.data.every((value) => value === 0)).toBe(true);
    await expect(trace(model, TEXT, { alone: 1 } as never)).rejects.toThrow(/^alone: expected true or false, got 1$/);
  });
});
