import * as scalarMath from "@gpt2-ts/tensor/math";
import { logSumExp } from "../log-sum-exp.ts";
import { maximum, minimum, totalVariation } from "./distributions.ts";
import { above, type CheckResult, near, type WrittenProblem } from "./problem.ts";

/**
 * With Z_T(x_<i) = Σ_v p(v|x_<i)^(1/T), the normaliser of one step, the product of the scaled steps is
 *
 *     ∏_i p_T(x_i|x_<i) = ∏_i p(x_i|x_<i)^(1/T) / Z_T(x_<i) = p(x)^(1/T) / C_T(x)        C_T(x) = ∏_i Z_T(x_<i)
 *
 * and the scaled joint is p(x)^(1/T) / Z with one Z for all sequences. Both add up to 1. So they are equal if and only if
 * C_T(x) is the same for every sequence x that can happen; then it is Z. The answer sheet drops C_T as if it were a constant,
 * but it depends on x. At T = 1 every Z_T is 1 and equality is trivial.
 *
 * Two tokens: C_T = Z_T(∅) Z_T(x_0), so equality at T holds if and only if Z_T(x_0) is the same for all x_0 with p(x_0) > 0.
 * For more tokens it is enough that Z_T(prefix) depends only on the prefix's length. That is also necessary for equality at
 * every length (divide C_T of one length by C_T of the length before), but not for equality at one length alone: there the
 * normalisers along a sequence may make up for one another.
 *
 * What scaling step by step cannot see is the future. Let W_T(prefix) be the sum of p(rest|prefix)^(1/T) over all ways to go
 * on. The scaled joint chooses the next token with probability proportional to p(v|x_<i)^(1/T) W_T(x_<i, v), the scaled step
 * without W_T. So, again, they agree if and only if after no prefix W_T differs between two tokens that can follow. For every
 * T at once: Σ p^a as a function of a determines the probabilities p > 0, up to their order, since functions p^a of different
 * p are linearly independent. So equality for all T holds if and only if, after any prefix, all tokens that can follow leave
 * futures with the same probabilities, in whatever order. Two tokens: the rows p(·|x_0) are permutations of one another.
 * (Problem 6.7b puts W_T back, for a future of one token: for two tokens that is the scaled joint itself.)
 *
 * The counterexample: x_0 is a or b, evenly; after a comes a or b, evenly; after b always a. T = 1/2 squares probabilities.
 * aa, ab and ba have joint probabilities 1/4, 1/4, 1/2, squared and normalised 1/6, 1/6, 2/3. Step by step x_0 stays even
 * and so does x_1 after a: 1/4, 1/4, 1/2, nothing has changed at all.
 */
export const sequenceTemperature: WrittenProblem = {
  id: "6.7a",
  title: "Temperature by token and temperature of the sequence",
  claim:
    "No: scaling each token's distribution does not scale the joint distribution. The two are equal at T if and only if the " +
    "product of the steps' normalisers, ∏ Z_T(x_<i), is the same for every sequence that can happen; for two tokens, if " +
    "Z_T(x_0) is the same for every possible x_0, and for all T if the rows p(·|x_0) are permutations of one another.",
  differs:
    "The answer sheet says yes. It takes ∏ of “proportional to” as “proportional to”, but each step's factor of " +
    "proportionality, 1/Z_T(x_<i), depends on the tokens before it.",
  check(): CheckResult[] {
    const byTokens = byToken(counterexample, 1 / 2).map(scalarMath.exp);
    const joint = bySequence(counterexample, 1 / 2).map(scalarMath.exp);
    const sequences = ["aa", "ab", "ba"];
    return [
      ...sequences.map((name, i) =>
        near(`p(${name}), T = 1/2, by token`, [1 / 4, 1 / 4, 1 / 2][i]!, byTokens[i]!, 1e-15),
      ),
      ...sequences.map((name, i) =>
        near(`p(${name}), T = 1/2, by sequence`, [1 / 6, 1 / 6, 2 / 3][i]!, joint[i]!, 1e-15),
      ),
      near("their total variation, T = 1/2", 1 / 6, distance(counterexample, 1 / 2), 1e-15),
      near("their total variation, T = 1", 0, distance(counterexample, 1), 1e-15),
      near("rows that are permutations: largest total variation, T = 0.1 to 10", 0, largestDistance(permuted), 1e-14),
      near("rows (1/2, 1/2, 0) and (2/3, 1/6, 1/6): total variation, T = 1/2", 0, distance(equalSquares, 1 / 2), 1e-15),
      above("the same rows, T = 1/3", 0.01, distance(equalSquares, 1 / 3)),
      near(
        "three tokens whose normalisers make up for one another: largest total variation",
        0,
        largestDistance(compensating),
        1e-14,
      ),
      above("the first two of them", 0.01, distance(truncate(compensating, 2), 1 / 2)),
    ];
  },
};

/** An autoregressive model of sequences of one length, as a tree: every prefix has its node. */
export interface SequenceModel {
  /** log p(token | prefix). */
  readonly logProbabilities: readonly number[];
  /** What may follow each token; empty after the last. */
  readonly next: readonly SequenceModel[];
}

/** A node from probabilities. */
export function node(probabilities: readonly number[], next: readonly SequenceModel[] = []): SequenceModel {
  return { logProbabilities: probabilities.map(scalarMath.log), next };
}

/** The log-probability of every sequence, in lexicographic order, as a sum of what `step` makes of each node's row. */
function chain(model: SequenceModel, step: (logProbabilities: readonly number[]) => readonly number[]): number[] {
  return step(model.logProbabilities).flatMap((here, token) => {
    const next = model.next[token];
    return next === undefined ? [here] : chain(next, step).map((later) => here + later);
  });
}

/** log ∏ p_T(x_i|x_<i) of every sequence: each token's distribution scaled by itself. */
export function byToken(model: SequenceModel, temperature: number): number[] {
  return chain(model, (row) => {
    const normalizer = logNormalizer(row, temperature);
    return row.map((logProbability) => logProbability / temperature - normalizer);
  });
}

/** log p_T(x) of every sequence: the joint distribution scaled. */
export function bySequence(model: SequenceModel, temperature: number): number[] {
  const joint = chain(model, (row) => row);
  const normalizer = logNormalizer(joint, temperature);
  return joint.map((logProbability) => logProbability / temperature - normalizer);
}

/** log Z_T = log Σ p^(1/T). */
export function logNormalizer(logProbabilities: readonly number[], temperature: number): number {
  return logSumExp(logProbabilities.map((logProbability) => logProbability / temperature));
}

/** The total variation between the two ways to scale: 0 if and only if they are the same. */
export function distance(model: SequenceModel, temperature: number): number {
  return totalVariation(byToken(model, temperature), bySequence(model, temperature));
}

/** log C_T(x), the sum of log Z_T over a sequence's prefixes: by how much it varies among the sequences that can happen. */
export function spreadOfNormalizers(model: SequenceModel, temperature: number): number {
  const logC = chain(model, (row) =>
    row.map((each) => (each > Number.NEGATIVE_INFINITY ? logNormalizer(row, temperature) : Number.NaN)),
  );
  const possible = logC.filter((value) => !Number.isNaN(value));
  return maximum(possible) - minimum(possible);
}

/** log W_T: of the sum of p(rest|prefix)^(1/T) over all ways to go on from here. */
export function logFuture(model: SequenceModel, temperature: number): number {
  return logNormalizer(
    chain(model, (row) => row),
    temperature,
  );
}

/** The most by which log W_T differs between two tokens that can follow the same prefix. */
export function spreadOfFutures({ logProbabilities, next }: SequenceModel, temperature: number): number {
  const possible = next.filter((_, token) => logProbabilities[token]! > Number.NEGATIVE_INFINITY);
  if (possible.length === 0) return 0;
  const futures = possible.map((follower) => logFuture(follower, temperature));
  return Math.max(
    maximum(futures) - minimum(futures),
    ...possible.map((follower) => spreadOfFutures(follower, temperature)),
  );
}

/** The model of the first `length` tokens. */
export function truncate({ logProbabilities, next }: SequenceModel, length: number): SequenceModel {
  return { logProbabilities, next: length > 1 ? next.map((follower) => truncate(follower, length - 1)) : [] };
}

const half = 1 / 2;

/** Two tokens. After a, which is as likely as b, either may come; after b only a. */
const counterexample = node([half, half], [node([half, half]), node([1, 0])]);

const permuted = node([0.2, 0.3, 0.5], [node([0.1, 0.2, 0.7]), node([0.7, 0.1, 0.2]), node([0.2, 0.7, 0.1])]);

/** Both rows have 1/2 as their sum of squares, so T = 1/2 cannot tell them apart; other temperatures can. */
const equalSquares = node([half, half, 0], [node([half, half, 0]), node([2 / 3, 1 / 6, 1 / 6]), node([1, 0, 0])]);

/** Three tokens. After a the second is open and the third is not, after b the other way round. */
const compensating = node(
  [half, half],
  [node([half, half], [node([1, 0]), node([1, 0])]), node([1, 0], [node([half, half]), node([1, 0])])],
);

function largestDistance(model: SequenceModel): number {
  return maximum([0.1, 0.5, 0.95, 2, 10].map((temperature) => distance(model, temperature)));
}
