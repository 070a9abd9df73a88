import { Generator } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { independentParameters } from "../../src/written/independence.ts";
import { jointParameters } from "../../src/written/joint-table.ts";
import { markovParameters, product } from "../../src/written/markov.ts";
import { PRIME, rank } from "../../src/written/modular.ts";
import {
  assignments,
  freeEntries,
  independentEntries,
  jacobian,
  jointModulo,
  markovNetwork,
  type Network,
  tableRows,
} from "../../src/written/tables.ts";

const counts = (minLength: number, maxLength: number) =>
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength, maxLength });
const seeds = fc.nat(2 ** 31);
const withOrder = counts(2, 4).chain((outcomes) =>
  fc.tuple(fc.constant(outcomes), fc.integer({ min: 1, max: outcomes.length - 1 })),
);
/** Any network: each variable depends on any of those before it. */
const networks: fc.Arbitrary<Network> = counts(1, 4).chain((outcomes) =>
  fc
    .tuple(...outcomes.map((_, i) => fc.subarray(Array.from({ length: i }, (_, j) => j))))
    .map((parents) => ({ outcomes, parents })),
);

/** Tables modulo the prime, filled from a seed; each row adds up to 1. */
function fill(network: Network, seed: number): number[][] {
  const generator = new Generator(seed);
  return tableRows(network).map(({ variable }) => {
    const free = Array.from({ length: network.outcomes[variable]! - 1 }, () => generator.integer(0, PRIME));
    return [...free, (((1 - free.reduce((a, b) => a + b, 0)) % PRIME) + PRIME) % PRIME];
  });
}

describe("counting parameters", () => {
  test("a joint table has as many free entries as combinations of outcomes, less one, all independent", () => {
    fc.assert(
      fc.property(counts(1, 4), seeds, (outcomes, seed) => {
        const network = markovNetwork(outcomes, outcomes.length);
        expect(jointParameters(outcomes)).toBe(assignments(outcomes).length - 1);
        expect(independentEntries(network, new Generator(seed))).toBe(jointParameters(outcomes));
        expect(freeEntries(network)).toBe(jointParameters(outcomes));
      }),
    );
  });

  test("independent variables have as many as their tables together", () => {
    fc.assert(
      fc.property(counts(1, 5), seeds, (outcomes, seed) => {
        const network = markovNetwork(outcomes, 0);
        expect(freeEntries(network)).toBe(independentParameters(outcomes));
        expect(independentEntries(network, new Generator(seed))).toBe(independentParameters(outcomes));
      }),
    );
  });

  test("no network has fewer parameters than independence, and only those whose edges touch constants have as few", () => {
    fc.assert(
      fc.property(networks, (network) => {
        const { outcomes, parents } = network;
        const matters = parents.some((list, i) => outcomes[i]! > 1 && list.some((parent) => outcomes[parent]! > 1));
        const extra = freeEntries(network) - independentParameters(outcomes);
        expect(extra > 0).toBe(matters);
        expect(extra).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("the Markov formula counts the free entries of the tables, all independent", () => {
    fc.assert(
      fc.property(withOrder, seeds, ([outcomes, order], seed) => {
        const network = markovNetwork(outcomes, order);
        expect(freeEntries(network)).toBe(markovParameters(outcomes, order));
        expect(independentEntries(network, new Generator(seed))).toBe(markovParameters(outcomes, order));
      }),
    );
  });

  test("it counts, for each variable, the different histories of m outcomes in the list of all combinations", () => {
    fc.assert(
      fc.property(withOrder, ([outcomes, order]) => {
        const all = assignments(outcomes);
        const histories = outcomes.map((_, i) => new Set(all.map((x) => `${x.slice(Math.max(0, i - order), i)}`)).size);
        const expected = histories.reduce((sum, count, i) => sum + count * (outcomes[i]! - 1), 0);
        expect(markovParameters(outcomes, order)).toBe(expected);
      }),
    );
  });

  test("with m = n - 1 it is the joint table's count", () => {
    fc.assert(
      fc.property(counts(2, 6), (outcomes) => {
        expect(markovParameters(outcomes, outcomes.length - 1)).toBe(jointParameters(outcomes));
      }),
    );
  });

  test.each([0, 4, 1.5, Number.NaN])("refuses m = %d for four variables, naming it", (order) => {
    expect(() => markovParameters([2, 3, 4, 5], order)).toThrow(/^order: expected an integer from 1 to 3 .*got/);
  });

  test("the answer sheet's product from i = 0 is undefined, whatever the variables", () => {
    fc.assert(
      fc.property(withOrder, ([outcomes, order]) => {
        expect(() => product(outcomes, 0, order)).toThrow(
          new RangeError(`k_0 is not defined: there are k_1 to k_${outcomes.length}`),
        );
      }),
    );
    expect(product([2, 3, 4], 1, 3)).toBe(24);
    expect(product([2, 3, 4], 2, 3)).toBe(12);
    expect(() => product([2, 3, 4], 1, 4)).toThrow("k_4 is not defined");
  });
});

describe("the tables behind the counts", () => {
  test("describe joint distributions in which each variable depends on its m predecessors only", () => {
    fc.assert(
      fc.property(withOrder, seeds, ([outcomes, order], seed) => {
        const network = markovNetwork(outcomes, order);
        const generator = new Generator(seed);
        const tables = new Map<string, number[]>();
        for (const { variable, given } of tableRows(network)) {
          const weights = Array.from({ length: outcomes[variable]! }, () => 0.1 + generator.uniform());
          const total = weights.reduce((a, b) => a + b);
          tables.set(
            `${variable}:${given}`,
            weights.map((weight) => weight / total),
          );
        }
        const all = assignments(outcomes);
        const joint = all.map((x) =>
          x.reduce((p, outcome, i) => p * tables.get(`${i}:${x.slice(Math.max(0, i - order), i)}`)![outcome]!, 1),
        );
        /** P(X_i = x_i | X_from..X_(i-1) as in x), out of the joint table. */
        const conditional = (x: readonly number[], i: number, from: number): number => {
          const probability = (end: number): number =>
            joint.reduce(
              (sum, p, a) => (x.slice(from, end).every((v, j) => all[a]![from + j] === v) ? sum + p : sum),
              0,
            );
          return probability(i + 1) / probability(i);
        };
        for (const x of all) {
          for (let i = order; i < outcomes.length; i++) {
            expect(conditional(x, i, 0)).toBeCloseTo(conditional(x, i, i - order), 10);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("add up to 1 as a joint, and moving one free entry moves the joint by its row of the Jacobian", () => {
    fc.assert(
      fc.property(networks, seeds, fc.nat(), fc.integer({ min: 1, max: PRIME - 1 }), (network, seed, which, step) => {
        const entries = fill(network, seed);
        const joint = jointModulo(network, entries);
        expect(joint.reduce((sum, p) => (sum + p) % PRIME, 0)).toBe(1);
        const derivatives = jacobian(network, entries);
        expect(derivatives.length).toBe(freeEntries(network));
        if (derivatives.length === 0) return;
        const chosen = which % derivatives.length;
        const moved = jointModulo(network, move(entries, chosen, step));
        expect(moved).toEqual(joint.map((p, i) => (p + step * derivatives[chosen]![i]!) % PRIME));
      }),
    );
  });

  test("the rank of a product of random matrices is the size between them", () => {
    const size = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(size, size, size, seeds, (rows, columns, between, seed) => {
        const generator = new Generator(seed);
        const matrix = (n: number, m: number): number[][] =>
          Array.from({ length: n }, () => Array.from({ length: m }, () => generator.integer(0, PRIME)));
        const [left, right] = [matrix(rows, between), matrix(between, columns)];
        const multiplied = left.map((row) =>
          Array.from({ length: columns }, (_, j) =>
            row.reduce((sum, each, i) => (sum + each * right[i]![j]!) % PRIME, 0),
          ),
        );
        expect(rank(multiplied)).toBe(Math.min(rows, columns, between));
      }),
    );
  });
});

/** The tables with free entry number `chosen` raised, and the last of its row lowered, by `step`. */
function move(entries: readonly number[][], chosen: number, step: number): number[][] {
  let before = 0;
  return entries.map((row) => {
    const free = chosen - before;
    before += row.length - 1;
    if (free < 0 || free >= row.length - 1) return row;
    const result = [...row];
    result[free] = (row[free]! + step) % PRIME;
    result[row.length - 1] = (row.at(-1)! + PRIME - step) % PRIME;
    return result;
  });
}
