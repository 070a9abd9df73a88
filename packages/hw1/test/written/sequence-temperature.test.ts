import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Lookahead, temperatureScale, twoTokenScale } from "../../src/temperature.ts";
import {
  bySequence,
  byToken,
  distance,
  logFuture,
  logNormalizer,
  node,
  type SequenceModel,
  sequenceTemperature,
  spreadOfFutures,
  spreadOfNormalizers,
  truncate,
} from "../../src/written/sequence-temperature.ts";

/** Small integers as odds, not all 0. */
const odds = (tokens: number, max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(max), { minLength: tokens, maxLength: tokens }).filter((each) => each.some((one) => one > 0));

const normalize = (each: readonly number[]): number[] => {
  const total = each.reduce((a, b) => a + b);
  return each.map((one) => one / total);
};

/** Models of `length` tokens out of `tokens`; tokens may be impossible. */
function models(tokens: number, length: number, max: number): fc.Arbitrary<SequenceModel> {
  if (length === 1) return odds(tokens, max).map((row) => node(normalize(row)));
  const next = fc.array(models(tokens, length - 1, max), { minLength: tokens, maxLength: tokens });
  return fc.tuple(odds(tokens, max), next).map(([row, followers]) => node(normalize(row), followers));
}

const small = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
const anyModel = small.chain(([tokens, length]) => models(tokens, length, 9));
const temperatures = fc.double({ min: Math.log(0.1), max: Math.log(10), noNaN: true }).map(Math.exp);

/** All sequences as [tokens, probability], by walking the tree in probabilities. */
function sequences(model: SequenceModel, power = 1): [number[], number][] {
  return model.logProbabilities.flatMap((logProbability, token) => {
    const here = Math.exp(logProbability) ** power;
    const next = model.next[token];
    if (next === undefined) return [[[token], here] as [number[], number]];
    return sequences(next, power).map(([rest, later]): [number[], number] => [[token, ...rest], here * later]);
  });
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("temperature by token and by sequence", () => {
  test("by sequence is the power of the joint distribution, normalised", () => {
    fc.assert(
      fc.property(anyModel, temperatures, (model, T) => {
        const powers = sequences(model).map(([, p]) => p ** (1 / T));
        const scaled = bySequence(model, T).map(Math.exp);
        for (const [i, power] of powers.entries()) expect(scaled[i]!).toBeCloseTo(power / total(powers), 10);
      }),
    );
  });

  test("by token is a distribution whose every conditional is the power of the model's, normalised", () => {
    fc.assert(
      fc.property(anyModel, temperatures, (model, T) => {
        const expected = (each: SequenceModel): number[] => {
          const powers = each.logProbabilities.map((log) => Math.exp(log) ** (1 / T));
          return powers.flatMap((power, token) => {
            const here = power / total(powers);
            const next = each.next[token];
            return next === undefined ? [here] : expected(next).map((later) => here * later);
          });
        };
        const scaled = byToken(model, T).map(Math.exp);
        expect(total(scaled)).toBeCloseTo(1, 10);
        for (const [i, probability] of expected(model).entries()) expect(scaled[i]!).toBeCloseTo(probability, 10);
      }),
    );
  });

  test("agree at T = 1, where both are the model", () => {
    fc.assert(
      fc.property(anyModel, (model) => {
        expect(distance(model, 1)).toBeLessThan(1e-14);
        for (const [i, [, p]] of sequences(model).entries()) expect(Math.exp(byToken(model, 1)[i]!)).toBeCloseTo(p, 12);
      }),
    );
  });

  test("are what problems 6.6 and 6.7b make of the first of two tokens: by token, and by sequence", async () => {
    const cases = fc.asyncProperty(models(3, 2, 9), temperatures, async ({ logProbabilities, next }, T) => {
      const lookahead: Lookahead = async (candidates) => candidates.map((token) => next[token]!.logProbabilities);
      const horizon1 = temperatureScale(logProbabilities, { temperature: T });
      const horizon2 = await twoTokenScale(logProbabilities, { temperature: T, lookahead });
      for (const [scaled, joint] of [
        [horizon1, byToken({ logProbabilities, next }, T)],
        [horizon2, bySequence({ logProbabilities, next }, T)],
      ] as const) {
        const first = [0, 3, 6].map((start) => total(joint.slice(start, start + 3).map(Math.exp)));
        const weights = Array.from(scaled, (score) => Math.exp(score - Math.max(...scaled)));
        for (const [token, weight] of weights.entries()) expect(weight / total(weights)).toBeCloseTo(first[token]!, 9);
      }
    });
    await fc.assert(cases);
  });

  test("agree for a single token at every temperature", () => {
    fc.assert(
      fc.property(models(3, 1, 9), temperatures, (model, T) => {
        expect(distance(model, T)).toBeLessThan(1e-14);
      }),
    );
  });
});

describe("the counterexample of two tokens", () => {
  /** What the answer sheet claims, for odds of the first token and of the second after each first. */
  const agrees = ([first, afterA, afterB]: readonly (readonly number[])[]): boolean =>
    distance(node(normalize(first!), [node(normalize(afterA!)), node(normalize(afterB!))]), 1 / 2) < 1e-9;

  test("is found by looking for one, and shrinks to the one that is printed", () => {
    const threeRows = fc.tuple(odds(2, 20), odds(2, 20), odds(2, 20));
    const { failed, counterexample } = fc.check(fc.property(threeRows, agrees), { seed: 67, numRuns: 100 });
    expect(failed).toBe(true);
    const rows = counterexample![0].map((row) => [...row].sort());
    const [first, ...after] = rows;
    expect(first).toEqual([1, 1]);
    expect(after.sort()).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  test("has the numbers that exact fractions give", () => {
    const printed = sequenceTemperature.check(0).map(({ got }) => got);
    // aa, ab, ba: squares of 1/4, 1/4, 1/2 are 1/16, 1/16, 4/16; of each step alone nothing changes.
    for (const [i, expected] of [1 / 4, 1 / 4, 1 / 2, 1 / 6, 1 / 6, 4 / 6].entries()) {
      expect(printed[i]).toBeCloseTo(expected, 14);
    }
    expect(
      agrees([
        [1, 1],
        [1, 1],
        [1, 0],
      ]),
    ).toBe(false);
  });
});

describe("the condition for equality", () => {
  test("the two ways differ, in the log-odds of any two possible sequences, by their normalisers", () => {
    fc.assert(
      fc.property(anyModel, temperatures, (model, T) => {
        const sequence = bySequence(model, T);
        const ratios = byToken(model, T).flatMap((log, i) =>
          sequence[i]! > Number.NEGATIVE_INFINITY ? [log - sequence[i]!] : [],
        );
        const spread = Math.max(...ratios) - Math.min(...ratios);
        expect(spread).toBeCloseTo(spreadOfNormalizers(model, T), 9);
      }),
    );
  });

  test("the normalisers are those of the prefixes along each possible sequence", () => {
    fc.assert(
      fc.property(anyModel, temperatures, (model, T) => {
        const logC = sequences(model).flatMap(([tokens, p]) => {
          if (p === 0) return [];
          let at: SequenceModel | undefined = model;
          let sum = 0;
          for (const token of tokens) {
            sum += Math.log(total(at!.logProbabilities.map((log) => Math.exp(log) ** (1 / T))));
            at = at!.next[token];
          }
          return [sum];
        });
        expect(spreadOfNormalizers(model, T)).toBeCloseTo(Math.max(...logC) - Math.min(...logC), 9);
      }),
    );
  });

  test("futures and normalisers vary together: one is constant if and only if the other is", () => {
    const often = small.chain(([tokens, length]) => models(tokens, length, 1)); // few different odds: often constant
    let constant = 0;
    fc.assert(
      fc.property(often, temperatures, (model, T) => {
        if (Math.abs(Math.log(T)) < 0.01) return;
        const [futures, normalizers] = [spreadOfFutures(model, T), spreadOfNormalizers(model, T)];
        if (normalizers < 1e-12) constant++;
        expect(futures < 1e-12).toBe(normalizers < 1e-12);
        expect(distance(model, T) < 1e-12).toBe(normalizers < 1e-12);
      }),
      { numRuns: 1000 },
    );
    expect(constant).toBeGreaterThan(50);
  });

  test("a future is the sum of the powers of all ways to go on", () => {
    fc.assert(
      fc.property(anyModel, temperatures, (model, T) => {
        const expected = Math.log(total(sequences(model, 1 / T).map(([, power]) => power)));
        expect(logFuture(model, T)).toBeCloseTo(expected, 9);
      }),
    );
  });

  test("rows that are permutations of one another, zeros aside, make the two ways equal at every temperature", () => {
    const cases = odds(3, 9).chain((row) =>
      fc.record({
        first: odds(3, 9),
        after: fc.array(fc.shuffledSubarray(row, { minLength: 3 }), { minLength: 3, maxLength: 3 }),
        unreachable: odds(3, 9),
        T: temperatures,
      }),
    );
    fc.assert(
      fc.property(cases, ({ first, after, unreachable, T }) => {
        const followers = after.map((row, token) => node(normalize(first[token] === 0 ? unreachable : row)));
        expect(distance(node(normalize(first), followers), T)).toBeLessThan(1e-12);
      }),
    );
  });

  test("rows that are not make them differ at some temperature", () => {
    const sorted = (row: readonly number[]): string =>
      `${normalize(row.filter((each) => each > 0)).sort((a, b) => a - b)}`;
    fc.assert(
      fc.property(odds(3, 9), odds(3, 9), (a, b) => {
        fc.pre(sorted(a) !== sorted(b));
        const model = node([0.5, 0.5, 0], [node(normalize(a)), node(normalize(b)), node([1, 0, 0])]);
        const largest = Math.max(...[0.2, 1 / 3, 0.5, 3].map((T) => distance(model, T)));
        expect(largest).toBeGreaterThan(5e-4); // of all pairs of such rows the closest reach 0.00054
      }),
      { numRuns: 500 },
    );
  });

  test("normalisers that depend on the prefix's length only are enough, at every length", () => {
    // Rows of one multiset per position, shuffled for each prefix.
    const cases = fc.tuple(odds(2, 9), odds(2, 9), odds(2, 9)).chain((rows) => {
      const level = (depth: number): fc.Arbitrary<SequenceModel> => {
        const row = fc.shuffledSubarray(rows[depth]!, { minLength: 2 }).map(normalize);
        if (depth === 2) return row.map((each) => node(each));
        return fc.tuple(row, fc.tuple(level(depth + 1), level(depth + 1))).map(([each, next]) => node(each, next));
      };
      return level(0);
    });
    fc.assert(
      fc.property(cases, temperatures, (model, T) => {
        for (const length of [1, 2, 3]) expect(distance(truncate(model, length), T)).toBeLessThan(1e-12);
      }),
    );
  });

  test("equality at every length makes the normalisers depend on the length only", () => {
    let equal = 0;
    fc.assert(
      fc.property(models(2, 3, 1), (model) => {
        const T = 1 / 3;
        if ([2, 3].some((length) => distance(truncate(model, length), T) > 1e-12)) return;
        equal++;
        const possible = model.next.filter((_, token) => model.logProbabilities[token]! > Number.NEGATIVE_INFINITY);
        const second = possible.map((follower) => logNormalizer(follower.logProbabilities, T));
        const third = possible.flatMap(({ next, logProbabilities }) =>
          next
            .filter((_, token) => logProbabilities[token]! > Number.NEGATIVE_INFINITY)
            .map((follower) => logNormalizer(follower.logProbabilities, T)),
        );
        for (const level of [second, third]) expect(Math.max(...level) - Math.min(...level)).toBeLessThan(1e-12);
      }),
      { numRuns: 1000 },
    );
    expect(equal).toBeGreaterThan(50);
  });
});
