import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GPT2 } from "@gpt2-ts/gpt2";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accuracy, areaUnder, chooseThreshold, isRandom, rocCurve } from "../src/classifier.ts";
import { loadCourseData } from "../src/data.ts";
import { runClassification } from "../src/tasks/classification.ts";
import { runLikelihoods } from "../src/tasks/likelihoods.ts";
import type { Setting } from "../src/tasks/setting.ts";
import { SHAKESPEARE } from "./support/models.ts";

const scores = fc.array(fc.integer({ min: -20, max: 0 }), { minLength: 1, maxLength: 12 });

function balancedAccuracy(random: readonly number[], real: readonly number[], threshold: number): number {
  return (accuracy(random, [], threshold) + accuracy([], real, threshold)) / 2;
}

describe("the threshold", () => {
  it("lies halfway in the widest gap that tells the sets apart", () => {
    expect(chooseThreshold([-9, -8, -7], [-3, -2, -2.5])).toBe(-5);
  });

  it("has the highest balanced accuracy that any threshold has between scores", () => {
    fc.assert(
      fc.property(scores, scores, (random, real) => {
        const all = [...random, ...real];
        fc.pre(new Set(all).size > 1);
        const threshold = chooseThreshold(random, real);
        expect(threshold).toBeGreaterThan(Math.min(...all));
        expect(threshold).toBeLessThan(Math.max(...all));
        const reached = balancedAccuracy(random, real, threshold);
        for (let other = -19.5; other < Math.max(...all); other++) {
          if (other < Math.min(...all)) continue;
          expect(reached).toBeGreaterThanOrEqual(balancedAccuracy(random, real, other));
        }
      }),
    );
  });

  it("weighs a small set as much as a large one", () => {
    // At -4.5 one of one random text and four of five real ones are right; at -6.5 all real ones, and no random one.
    expect(chooseThreshold([-5], [-6, -4, -3, -2, -1])).toBe(-4.5);
  });

  it("cannot be chosen from one kind of texts, or from equal ones", () => {
    expect(() => chooseThreshold([], [-1])).toThrow("threshold: expected random and real texts");
    expect(() => chooseThreshold([-1], [])).toThrow(RangeError);
    expect(() => chooseThreshold([-1, -1], [-1])).toThrow(
      "threshold: all texts have the same likelihood per character",
    );
  });
});

describe("the ROC curve", () => {
  it("rises from (0, 0) to (1, 1)", () => {
    fc.assert(
      fc.property(scores, scores, (random, real) => {
        const curve = rocCurve(random, real);
        expect(curve[0]).toMatchObject({ falsePositiveRate: 0, truePositiveRate: 0 });
        expect(curve.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
        for (const [i, point] of curve.slice(1).entries()) {
          expect(point.falsePositiveRate).toBeGreaterThanOrEqual(curve[i]!.falsePositiveRate);
          expect(point.truePositiveRate).toBeGreaterThanOrEqual(curve[i]!.truePositiveRate);
        }
      }),
    );
  });

  it("has as its area how often a random text scores below a real one, ties counting half", () => {
    fc.assert(
      fc.property(scores, scores, (random, real) => {
        let wins = 0;
        for (const a of random) for (const b of real) wins += a < b ? 1 : a === b ? 0.5 : 0;
        expect(areaUnder(rocCurve(random, real))).toBeCloseTo(wins / (random.length * real.length), 12);
      }),
    );
  });
});

describe("random and real texts under the Shakespeare model", () => {
  let model: GPT2;
  let out: string;
  beforeAll(async () => {
    model = await GPT2.load(SHAKESPEARE);
    out = await mkdtemp(join(tmpdir(), "hw1-classifier-"));
  });
  afterAll(async () => {
    model.dispose();
    await rm(out, { recursive: true, force: true });
  });

  it.each([20190929, 1])("are told apart in at least 99 of 100 texts never seen (seed %i)", async (seed) => {
    const setting: Setting = {
      model,
      data: await loadCourseData(undefined, seed),
      out,
      seed,
      length: 1,
      courseFiles: false,
      horizon2TopK: "pairs",
      signal: new AbortController().signal,
      progress: { start: () => {}, update: () => {}, stop: () => {} },
      onFile: () => {},
    };
    const { heldOut, training, threshold, mixed } = await runClassification(setting, await runLikelihoods(setting));
    expect({ training, random: heldOut.random, real: heldOut.real }).toEqual({
      training: { random: 50, real: 100 },
      random: 50,
      real: 100,
    });
    expect(heldOut.accuracy).toBeGreaterThanOrEqual(0.99);
    expect(heldOut.auc).toBeGreaterThanOrEqual(0.99);
    expect(mixed.accuracy).toBeGreaterThanOrEqual(0.99);
    const lines = (await readFile(join(out, mixed.file), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(300);
    const { text, random } = JSON.parse(lines[7]!) as { text: string; random: boolean };
    expect(text).toBe(setting.data.mixed.texts[7]);
    expect(await isRandom(model, text, threshold)).toBe(random);
  });

  it("are not called random if they have fewer than two tokens", async () => {
    expect(await isRandom(model, "", -3)).toBe(false);
    expect(await isRandom(model, "a", -3)).toBe(false);
    expect(await isRandom(model, "qzjxkvqzjxkvqzjx", -3)).toBe(true);
  });
});
