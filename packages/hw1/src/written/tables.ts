import type { Generator } from "@gpt2-ts/tensor";
import { PRIME, rank } from "./modular.ts";

/** Which variables a Bayesian network has, in topological order, and what each depends on. */
export interface Network {
  /** k_i: how many outcomes each variable has. */
  readonly outcomes: readonly number[];
  /** For each variable the indices, from 0, of the earlier variables that its table has rows for. */
  readonly parents: readonly (readonly number[])[];
}

/** Each variable depends on the `order` variables before it. */
export function markovNetwork(outcomes: readonly number[], order: number): Network {
  const parents = outcomes.map((_, i) => range(Math.max(0, i - order), i));
  return { outcomes, parents };
}

/** A row of a conditional table: the distribution of one variable, given one choice of its parents' outcomes. */
export interface TableRow {
  readonly variable: number;
  readonly given: readonly number[];
}

/** The rows of all of a network's tables. */
export function tableRows({ outcomes, parents }: Network): TableRow[] {
  return outcomes.flatMap((_, variable) =>
    assignments(parents[variable]!.map((parent) => outcomes[parent]!)).map((given) => ({ variable, given })),
  );
}

/** How many numbers can be chosen in the tables: all of a row but its last, which is 1 minus the others. */
export function freeEntries(network: Network): number {
  return tableRows(network).reduce((count, { variable }) => count + network.outcomes[variable]! - 1, 0);
}

/**
 * How many of the free entries are independent: the rank of the Jacobian of the map from the free entries to the joint
 * table, at a random point, in exact arithmetic modulo a prime.
 *
 * This proves, and does not only suggest, that no parameter is superfluous when the rank equals {@link freeEntries}: the
 * entries of the Jacobian are polynomials with integer coefficients, so a minor that is not 0 modulo a prime at one point is
 * not the zero polynomial. A rank cannot be too large; by bad luck, less than once in 10^4 draws for tables of this size, it
 * could be too small (Schwartz, 1980; Zippel, 1979).
 */
export function independentEntries(network: Network, generator: Generator): number {
  const entries = tableRows(network).map(({ variable }) => randomRow(network.outcomes[variable]!, generator));
  return rank(jacobian(network, entries));
}

/** For each combination of outcomes its probability, the product of one entry of each table, modulo the prime. */
export function jointModulo(network: Network, entries: readonly (readonly number[])[]): number[] {
  const { outcomes, parents } = network;
  const index = new Map(tableRows(network).map(({ variable, given }, row) => [rowKey(variable, given), row]));
  return assignments(outcomes).map((joint) => {
    const factors = joint.map((outcome, variable) => {
      const given = parents[variable]!.map((parent) => joint[parent]!);
      return entries[index.get(rowKey(variable, given))!]![outcome]!;
    });
    return factors.reduce((product, factor) => (product * factor) % PRIME, 1);
  });
}

/**
 * The derivatives of the joint table by each free entry, a row for each. The joint is linear in each table, so a derivative is
 * the joint again, with that variable's table replaced by the direction of the change: one entry up, the row's last down.
 */
export function jacobian(network: Network, entries: readonly (readonly number[])[]): number[][] {
  const rows = tableRows(network);
  return rows.flatMap(({ variable }, changed) => {
    const size = network.outcomes[variable]!;
    return range(0, size - 1).map((free) => {
      const direction = range(0, size).map((outcome) => (outcome === free ? 1 : outcome === size - 1 ? PRIME - 1 : 0));
      const still = new Array<number>(size).fill(0);
      const replaced = entries.map((row, i) => {
        if (rows[i]!.variable !== variable) return row;
        return i === changed ? direction : still;
      });
      return jointModulo(network, replaced);
    });
  });
}

/** All combinations of outcomes, the last variable's changing fastest. */
export function assignments(outcomes: readonly number[]): number[][] {
  return outcomes.reduce<number[][]>(
    (beginnings, count) => beginnings.flatMap((beginning) => range(0, count).map((outcome) => [...beginning, outcome])),
    [[]],
  );
}

/** The integers `from`..`to - 1`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function rowKey(variable: number, given: readonly number[]): string {
  return `${variable}|${given}`;
}

/** Residues that add up to 1. */
function randomRow(size: number, generator: Generator): number[] {
  const free = range(1, size).map(() => generator.integer(0, PRIME));
  const last = free.reduce((rest, entry) => (rest - entry + PRIME) % PRIME, 1);
  return [...free, last];
}
