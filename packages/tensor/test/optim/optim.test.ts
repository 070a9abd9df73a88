import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AdamW, clipGradNorm, fromData, SGD, tensor, tidy, warmupCosine } from "../../src/index.ts";
import { describeOnEveryBackend } from "../backends.ts";

const floats = (length: number) =>
  fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: length, maxLength: length });

describeOnEveryBackend("optimizers", (device) => {
  /** AdamW on one number, in float64, as its paper has it. */
  function adamW(weight: number, gradients: readonly number[], decay: number): number {
    let [m, v] = [0, 0];
    for (const [i, gradient] of gradients.entries()) {
      m = 0.9 * m + 0.1 * gradient;
      v = 0.999 * v + 0.001 * gradient ** 2;
      const [mean, square] = [m / (1 - 0.9 ** (i + 1)), v / (1 - 0.999 ** (i + 1))];
      weight -= 0.01 * decay * weight + (0.01 * mean) / (Math.sqrt(square) + 1e-8);
    }
    return weight;
  }

  it("AdamW computes its definition; matrices decay and vectors do not", () => {
    fc.assert(
      fc.property(floats(4), fc.array(floats(4), { minLength: 1, maxLength: 6 }), (start, gradients) => {
        using matrix = fromData(start, [2, 2], { device });
        using bias = fromData(start, [4], { device });
        using optimizer = new AdamW({ matrix, layer: [{ bias }] }, { learningRate: 0.01, weightDecay: 0.1 });
        for (const [i, gradient] of gradients.entries()) {
          using first = fromData(gradient, [2, 2], { device });
          using second = fromData(gradient, [4], { device });
          optimizer.step({ matrix: first, layer: [{ bias: second }] }, { step: i + 1 });
        }
        const [ofMatrix, ofBias] = [matrix.dataSync(), bias.dataSync()];
        for (const [k, weight] of start.entries()) {
          const own = gradients.map((gradient) => gradient[k]!);
          expect(ofMatrix[k]).toBeCloseTo(adamW(weight, own, 0.1), 4);
          expect(ofBias[k]).toBeCloseTo(adamW(weight, own, 0), 4);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("AdamW goes on with the same bits from a state that was saved", () => {
    const start = [1, -2, 3];
    const gradientOf = (step: number) => fromData([step, -step / 3, 0.1], [3], { device });
    const run = (optimizer: AdamW, from: number, to: number) => {
      for (let step = from; step <= to; step++) {
        using gradient = gradientOf(step);
        optimizer.step({ w: gradient }, { step });
      }
    };
    using w = fromData(start, [3], { device });
    using whole = new AdamW({ w });
    run(whole, 1, 10);

    using half = fromData(start, [3], { device });
    using before = new AdamW({ w: half });
    run(before, 1, 5);
    using after = new AdamW({ w: half });
    for (const [name, kept] of after.state()) kept.copy_(before.state().get(name)!);
    run(after, 6, 10);
    expect(half.dataSync()).toEqual(w.dataSync());
    for (const [name, kept] of after.state()) expect(kept.dataSync()).toEqual(whole.state().get(name)!.dataSync());
  });

  it("the same memory at two places is one weight, which takes one step", () => {
    using table = fromData([1, 2], [2, 1], { device });
    using gradient = fromData([1, 1], [2, 1], { device });
    using optimizer = new AdamW({ table, head: table }, { learningRate: 0.5, weightDecay: 0 });
    expect([...optimizer.state().keys()]).toEqual(["table.m", "table.v"]);
    optimizer.step({ table: gradient, head: gradient }, { step: 1 });
    expect(table.dataSync()[0]).toBeCloseTo(0.5, 5);
  });

  it("SGD follows the gradient, with momentum gathering speed", () => {
    using w = fromData([1], [1], { device });
    using gradient = fromData([1], [1], { device });
    using plain = new SGD({ w }, { learningRate: 0.25 });
    plain.step({ w: gradient });
    expect([...w.dataSync()]).toEqual([0.75]);
    expect(plain.state().size).toBe(0);
    using heavy = new SGD([w], { learningRate: 0.25, momentum: 0.5 });
    heavy.step([gradient]); // velocity 1
    heavy.step([gradient]); // 1.5
    expect([...w.dataSync()]).toEqual([0.75 - 0.25 - 0.375]);
  });

  it("clipGradNorm returns the norm before, and makes it at most what is allowed, in one direction", async () => {
    await fc.assert(
      fc.asyncProperty(floats(3), floats(2), async (a, b) => {
        using first = fromData(a, [3], { device });
        using second = fromData(b, [2], { device });
        const before = Math.hypot(...a, ...b);
        const norm = await clipGradNorm({ first, rest: [second, second] }, 1);
        expect(norm).toBeCloseTo(before, 3);
        const after = [...first.dataSync(), ...second.dataSync()];
        expect(Math.hypot(...after)).toBeLessThanOrEqual(1 + 1e-5);
        const scale = Math.min(1, 1 / before);
        for (const [i, value] of [...a, ...b].entries()) expect(after[i]).toBeCloseTo(value * scale, 4);
      }),
      { numRuns: 20 },
    );
  });

  it("gradients that are not finite are left as they are, and tell", async () => {
    using gradient = fromData([Number.NaN, 3], [2], { device });
    expect(await clipGradNorm([gradient], 1)).toBeNaN();
    expect(gradient.dataSync()[1]).toBe(3);
  });

  it("memory is flat: a step leaves the tensors that it found, in a tidy or not", () => {
    using w = fromData([1, 2], [2], { device });
    const optimizer = tidy(() => new AdamW({ w }));
    using gradient = fromData([1, 1], [2], { device });
    optimizer.step({ w: gradient }, { step: 1 });
    expect(w.disposed).toBe(false);
    const state = [...optimizer.state().values()];
    expect(state.every(({ disposed }) => !disposed)).toBe(true);
    optimizer.dispose();
    expect(state.every(({ disposed }) => disposed)).toBe(true);
  });
});

describe("warmupCosine", () => {
  it("rises in a line and falls along half a cosine to its lowest", () => {
    const rate = warmupCosine({ learningRate: 1, minLearningRate: 0.1, warmupSteps: 4, steps: 10 });
    expect([1, 2, 4, 7, 10, 11].map(rate)).toEqual([0.25, 0.5, 1, expect.closeTo(0.55, 12), 0.1, 0.1]);
    for (let step = 5; step <= 10; step++) expect(rate(step)).toBeLessThan(rate(step - 1));
  });

  it("without a warm-up begins near its highest; a tenth of it is the end", () => {
    const rate = warmupCosine({ learningRate: 1e-3, steps: 100 });
    expect(rate(1)).toBeGreaterThan(9.9e-4);
    expect(rate(100)).toBe(1e-4);
  });
});

describe("what cannot be trained", () => {
  it.each<[string, () => unknown, string]>([
    ["an option that is none", () => new AdamW([tensor([1])], { lr: 1 } as object), "lr: there is no such option"],
    ["a rate below zero", () => new SGD([tensor([1])], { learningRate: -1 }), "learningRate: expected a number from 0"],
    ["betas of 1", () => new AdamW([tensor([1])], { betas: [0.9, 1] }), "betas: expected numbers from 0 to below 1"],
    ["integers", () => new AdamW([tensor([1], { dtype: "int32" })]), "AdamW: weights[0] is int32; only float32"],
    ["a number", () => new AdamW({ w: 1 }), "AdamW: expected tensors, in arrays and plain objects, got 1 as weights.w"],
    [
      "a map, which is no plain object",
      () => new AdamW(new Map([["w", tensor([1])]])),
      "AdamW: expected tensors, in arrays",
    ],
    ["nothing", () => new AdamW({}), "AdamW: there are no tensors in what was given"],
    ["a packed matrix", () => new AdamW({ w: tensor([[1]]).pack() }), "weights: w is a packed matrix"],
    ["steps from 0", () => new AdamW([tensor([1])]).step([tensor([1])], { step: 0 }), "step: expected the number of"],
    ["no gradient", () => new AdamW({ w: tensor([1]) }).step({}, { step: 1 }), "there is no gradient for w"],
    [
      "another shape",
      () => new AdamW({ w: tensor([1]) }).step({ w: tensor([1, 2]) }, { step: 1 }),
      "the gradient of w is [2]; expected [1]",
    ],
    [
      "two views of one memory",
      () => {
        const w = tensor([[1, 2]]);
        return new AdamW({ w, turned: w.transpose() });
      },
      "turned and w are different views of the same memory",
    ],
    [
      "a warm-up without end",
      () => warmupCosine({ learningRate: 1, steps: 3, warmupSteps: 4 }),
      "warmupSteps: expected",
    ],
  ])("%s: says so", (_, act, message) => {
    expect(act).toThrow(message);
  });
});
