import { GPT2, nextToken, OptionError } from "@gpt2-ts/gpt2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchedLookahead } from "../src/sample.ts";
import { type Lookahead, temperatureScale, twoTokenScale } from "../src/temperature.ts";
import { SHAKESPEARE } from "./support/models.ts";

/** A row of logits, and one of what follows each token. */
const tables = fc.integer({ min: 1, max: 7 }).chain((size) => {
  const row = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: size, maxLength: size });
  return fc.record({ first: row, second: fc.array(row, { minLength: size, maxLength: size }) });
});

const temperatures = fc.double({ min: 0.05, max: 10, noNaN: true });

function logSoftmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const normalizer = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return logits.map((logit) => logit - normalizer);
}

function softmax(logits: ArrayLike<number>): number[] {
  return logSoftmax(Array.from(logits)).map(Math.exp);
}

const lookaheadOf = (second: readonly number[][]): Lookahead => {
  return async (candidates) => candidates.map((id) => logSoftmax(second[id]!));
};

/** The distribution by its definition: all pairs, scaled, normalized, summed. */
function byPairs(first: readonly number[], second: readonly number[][], temperature: number): number[] {
  const scaled = logSoftmax(first).map((p, i) => logSoftmax(second[i]!).map((q) => (p + q) / temperature));
  const pairs = softmax(scaled.flat());
  return first.map((_, i) => pairs.slice(i * first.length, (i + 1) * first.length).reduce((sum, p) => sum + p, 0));
}

function expectClose(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs(got[i]! - value), `token ${i}`).toBeLessThan(tolerance);
}

describe("temperature over one token", () => {
  it("divides logits", () => {
    expect([...temperatureScale([1, -2, 0], { temperature: 0.5 })]).toEqual([2, -4, 0]);
  });

  it("raises the probabilities to the power of 1/T", () => {
    fc.assert(
      fc.property(tables, temperatures, ({ first }, temperature) => {
        const powers = softmax(first).map((p) => p ** (1 / temperature));
        const total = powers.reduce((sum, power) => sum + power, 0);
        fc.pre(total > 1e-200);
        const expected = powers.map((power) => power / total);
        expectClose(softmax(temperatureScale(first, { temperature })), expected, 1e-9);
      }),
    );
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("cannot be %d", async (temperature) => {
    expect(() => temperatureScale([1], { temperature })).toThrow(OptionError);
    const lookahead = lookaheadOf([[0]]);
    await expect(twoTokenScale([1], { temperature, lookahead })).rejects.toThrow(
      "temperature: expected a number above 0",
    );
  });
});

describe("temperature over two tokens", () => {
  it("scales pairs and sums the second token out", async () => {
    await fc.assert(
      fc.asyncProperty(tables, temperatures, async ({ first, second }, temperature) => {
        const scaled = await twoTokenScale(first, { temperature, lookahead: lookaheadOf(second) });
        expectClose(softmax(scaled), byPairs(first, second, temperature), 1e-9);
      }),
    );
  });

  it("is at T = 1 what one token is at T = 1 when top-k covers the vocabulary", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ first, second }) => {
        const options = { temperature: 1, topK: first.length, lookahead: lookaheadOf(second) };
        const one = softmax(temperatureScale(first, { temperature: 1 }));
        expectClose(softmax(await twoTokenScale(first, options)), one, 1e-12);
      }),
    );
  });

  it("is at T = 1 what one token is for every top-k, if top-k cuts the second token's distribution too", async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.integer({ min: 1, max: 7 }), async ({ first, second }, topK) => {
        const options = { temperature: 1, topK, horizon2TopK: "second", lookahead: lookaheadOf(second) } as const;
        const scaled = await twoTokenScale(first, options);
        expectClose(
          [...nextToken(scaled, { topK }).probabilities],
          [...nextToken(first, { topK }).probabilities],
          1e-9,
        );
      }),
    );
  });

  it("knows two things that top-k can do", async () => {
    const options = { temperature: 1, horizon2TopK: "first" as never, lookahead: lookaheadOf([[0]]) };
    await expect(twoTokenScale([1], options)).rejects.toThrow("horizon2TopK: expected pairs or second, got first");
  });

  it("is the same on the Shakespeare model", async () => {
    using model = await GPT2.load(SHAKESPEARE);
    using context = model.context();
    const logits = await context.append(model.tokenizer.encode("To be, or not to"));
    const options = { temperature: 1, topK: model.config.vocabSize, lookahead: batchedLookahead(context) };
    const one = [...nextToken(temperatureScale(logits, { temperature: 1 })).probabilities];
    expectClose([...nextToken(await twoTokenScale(logits, options)).probabilities], one, 1e-6);
  });

  it("is not what one token is at other temperatures", async () => {
    const first = [Math.log(0.6), Math.log(0.4)];
    const second = [
      [Math.log(0.5), Math.log(0.5)],
      [Math.log(0.99), Math.log(0.01)],
    ];
    const scaled = await twoTokenScale(first, { temperature: 0.5, lookahead: lookaheadOf(second) });
    // 0.6²(0.5² + 0.5²) = 0.18 against 0.4²(0.99² + 0.01²) = 0.156832
    expectClose(softmax(scaled), [0.18 / 0.336832, 0.156832 / 0.336832], 1e-12);
    expectClose(softmax(temperatureScale(first, { temperature: 0.5 })), [0.36 / 0.52, 0.16 / 0.52], 1e-12);
  });

  it("becomes certain of the first token of the likeliest pair as T falls to 0", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ first, second }) => {
        const best = logSoftmax(first).map((p, i) => p + Math.max(...logSoftmax(second[i]!)));
        const [highest, next] = best.toSorted((a, b) => b - a);
        fc.pre(next === undefined || highest! - next > 0.01);
        const scaled = await twoTokenScale(first, { temperature: 1e-4, lookahead: lookaheadOf(second) });
        expect(softmax(scaled)[best.indexOf(highest!)]).toBeGreaterThan(1 - 1e-12);
      }),
    );
  });

  it("gives tokens outside the top k no chance, and sums over no more than k second tokens", async () => {
    const first = [3, 2, 1, 0];
    const second = [
      [0, 0, 0, 0],
      [9, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    const scaled = await twoTokenScale(first, { temperature: 1, topK: 2, lookahead: lookaheadOf(second) });
    expect([...scaled.slice(2)]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    // All four of the first's followers tie, so all are kept; of the second's the one and the three that tie.
    expectClose(softmax(scaled).slice(0, 2), softmax([3, 2]), 1e-12);
  });
});
