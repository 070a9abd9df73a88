import { readFileSync } from "node:fs";
import { GPT2, nextToken } from "@gpt2-ts/gpt2";
import { describe, expect, it } from "vitest";
import { accuracy, areaUnder, chooseThreshold, rocCurve } from "../src/classifier.ts";
import { logLikelihoods, perCharacter } from "../src/likelihood.ts";
import { type Sampled, sampleTokens } from "../src/sample.ts";
import { type Horizon2TopK, temperatureScale, twoTokenScale } from "../src/temperature.ts";

interface Step {
  readonly prefix: readonly number[];
  readonly temperature: number;
  readonly topK: number;
  readonly horizon: 1 | 2;
  readonly horizon2TopK?: Horizon2TopK;
}

/** Made by fixtures/make_golden.py, which computes everything by enumeration and counting. */
interface Golden {
  readonly toy: {
    readonly vocabulary: number;
    readonly rows: readonly { readonly prefix: readonly number[]; readonly logits: readonly number[] }[];
    readonly cases: readonly (Step & { readonly probabilities: readonly number[] })[];
    readonly drawn: readonly (Step & {
      readonly draws: number;
      /** The distribution of the two tokens after the prefix. */
      readonly pairs: readonly (readonly number[])[];
      /** Where the statistic's p-value is 0.01. */
      readonly critical: number;
    })[];
  };
  readonly classifier: readonly {
    readonly name: string;
    readonly random: readonly number[];
    readonly real: readonly number[];
    /** False and true positive rates. */
    readonly roc: readonly (readonly [number, number])[];
    readonly auc: number;
    readonly threshold: number;
    readonly accuracy: number;
  }[];
  readonly likelihood: readonly {
    readonly text: string;
    readonly logLikelihood: number;
    readonly perCharacter: number;
  }[];
}

const golden = JSON.parse(readFileSync(new URL("fixtures/golden.json", import.meta.url), "utf8")) as unknown as Golden;
const { toy } = golden;
const rows = new Map(toy.rows.map(({ prefix, logits }) => [String(prefix), Float32Array.from(logits)]));

function logitsAfter(prefix: readonly number[]): Float32Array {
  return rows.get(String(prefix))!;
}

/** In float64: log p of what may follow a prefix. */
function logprobsAfter(prefix: readonly number[]): Float64Array {
  const logits = logitsAfter(prefix);
  const normalizer = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return Float64Array.from(logits, (logit) => logit - normalizer);
}

/** The table as a context: what `sampleTokens` asks of a model. */
class ToyContext implements Sampled {
  readonly capacity = 10;
  #ids: readonly number[] = [];

  get length(): number {
    return this.#ids.length;
  }

  async append(ids: readonly number[]): Promise<Float32Array> {
    this.#ids = [...this.#ids, ...ids];
    return logitsAfter(this.#ids);
  }

  async branch(continuations: readonly (readonly number[])[]): Promise<Float32Array[]> {
    return continuations.map((ids) => Float32Array.from(logprobsAfter([...this.#ids, ...ids])));
  }
}

/** The distribution that a token is drawn from, over the vocabulary. */
async function distribution({ prefix, temperature, topK, horizon, horizon2TopK }: Step): Promise<number[]> {
  const scaled =
    horizon === 1
      ? temperatureScale(logitsAfter(prefix), { temperature })
      : await twoTokenScale(logitsAfter(prefix), {
          temperature,
          topK,
          horizon2TopK,
          lookahead: async (candidates) => candidates.map((id) => logprobsAfter([...prefix, id])),
        });
  const { ids, probabilities } = nextToken(scaled, { topK });
  const result = new Array<number>(toy.vocabulary).fill(0);
  for (const [at, id] of ids.entries()) result[id] = probabilities[at]!;
  return result;
}

describe("the distribution of the next token equals that of the enumerated joint distribution", () => {
  for (const [horizon, horizon2TopK] of [[1], [2], [2, "second"]] as const) {
    const cases = toy.cases.filter((item) => item.horizon === horizon && item.horizon2TopK === horizon2TopK);
    it(`with a horizon of ${horizon}${horizon2TopK ? " and top-k of the second token too" : ""}, for ${cases.length} prefixes, temperatures and top-k's`, async () => {
      expect(cases).toHaveLength(64);
      for (const item of cases) {
        const got = await distribution(item);
        const label = JSON.stringify({ ...item, got });
        for (const [id, expected] of item.probabilities.entries()) {
          expect(got[id] === 0, label).toBe(expected === 0);
          expect(Math.abs(got[id]! - expected), label).toBeLessThan(1e-12);
          if (expected > 0) expect(Math.abs(got[id]! / expected - 1), label).toBeLessThan(1e-10);
        }
      }
    });
  }
});

describe("what is drawn follows the enumerated distribution (chi-square, p > 0.01)", () => {
  for (const item of toy.drawn) {
    const { prefix, temperature, topK, horizon, draws, pairs, critical } = item;
    it(`over ${draws} draws of two tokens with horizon ${horizon}, T = ${temperature}, top-${topK}`, async () => {
      const counts = pairs.map((row) => row.map(() => 0));
      for (let seed = 0; seed < draws; seed++) {
        const { ids } = await sampleTokens(new ToyContext(), prefix, { length: 2, temperature, topK, horizon, seed });
        counts[ids[0]!]![ids[1]!]!++;
      }
      expect(chiSquare(counts, pairs, draws)).toBeLessThan(critical);
      // The test would notice: at another horizon the same draws are far off.
      const other = toy.drawn.find((one) => one.temperature === temperature && one.horizon !== horizon);
      if (other) expect(chiSquare(counts, other.pairs, draws)).toBeGreaterThan(10 * other.critical);
    });
  }
});

/** Pairs that are expected fewer than five times are one cell; infinite if an impossible one was drawn. */
function chiSquare(
  counts: readonly (readonly number[])[],
  probabilities: readonly (readonly number[])[],
  draws: number,
): number {
  let statistic = 0;
  const rest = { count: 0, expected: 0 };
  for (const [i, row] of probabilities.entries()) {
    for (const [j, probability] of row.entries()) {
      const count = counts[i]![j]!;
      const expected = probability * draws;
      if (expected === 0 && count > 0) return Number.POSITIVE_INFINITY;
      if (expected >= 5) statistic += (count - expected) ** 2 / expected;
      else {
        rest.count += count;
        rest.expected += expected;
      }
    }
  }
  return rest.expected === 0 ? statistic : statistic + (rest.count - rest.expected) ** 2 / rest.expected;
}

describe.each(golden.classifier)("scores of random and real texts, $name", (item) => {
  const { random, real } = item;

  it("have the ROC curve that counting gives", () => {
    const curve = rocCurve(random, real);
    expect(curve.map(({ falsePositiveRate, truePositiveRate }) => [falsePositiveRate, truePositiveRate])).toEqual(
      item.roc,
    );
  });

  it("have as area under it the share of pairs in the right order, ties counting half", () => {
    expect(areaUnder(rocCurve(random, real))).toBeCloseTo(item.auc, 12);
  });

  it("get the threshold that trying all of them gives, and its accuracy", () => {
    expect(chooseThreshold(random, real)).toBe(item.threshold);
    expect(accuracy(random, real, item.threshold)).toBe(item.accuracy);
  });
});

describe("the likelihood of a text under the Shakespeare model", () => {
  it("equals that of PyTorch in float64, as a whole and per character", async () => {
    using model = await GPT2.load(new URL("../../../weights/shakespeare/", import.meta.url), { device: "reference" });
    const texts = golden.likelihood.map(({ text }) => text);
    const values = await logLikelihoods(model, texts);
    for (const [i, expected] of golden.likelihood.entries()) {
      expect(Math.abs(values[i]! / expected.logLikelihood - 1)).toBeLessThan(1e-6);
      expect(Math.abs(perCharacter(values[i]!, texts[i]!) / expected.perCharacter - 1)).toBeLessThan(1e-6);
    }
  });
});
