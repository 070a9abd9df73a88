import { type CheckResult, same, type WrittenProblem } from "./problem.ts";

/**
 * b bits tell 2^b things apart, so N tokens need the smallest b with 2^b ≥ N, which is ⌈log2 N⌉. 15 bits stop at 32,768;
 * 16 reach 65,536, and 50,257 lies between. The ids are 0 to 50,256, and the largest, written in binary, has 16 digits.
 *
 * (16 bits is what a code needs that spends the same on every token. One that gives frequent tokens shorter codes needs
 * fewer on average: the model's own cross entropy, divided by log 2.)
 */
export const tokenBits: WrittenProblem = {
  id: "6.1",
  title: "Bits for a token",
  claim: "50,257 tokens need ⌈log2 50257⌉ = 16 bits each.",
  check(): CheckResult[] {
    const tokens = 50_257;
    return [
      same("bits for 50,257 tokens", 16, bitsFor(tokens)),
      same("binary digits of the largest id, 50,256", 16, (tokens - 1).toString(2).length),
      same("bits for 32,768 tokens, the most that 15 bits tell apart", 15, bitsFor(2 ** 15)),
      same("bits for 65,536 tokens, the most that 16 bits tell apart", 16, bitsFor(2 ** 16)),
    ];
  },
};

/**
 * The smallest b with 2^b ≥ `count`. In integers: log2 of a number just above a power of two rounds down to it.
 *
 * @throws RangeError unless `count` is an integer from 1
 */
export function bitsFor(count: number): number {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`count: expected an integer from 1, got ${count}`);
  let bits = 0;
  for (let reach = 1; reach < count; reach *= 2) bits++;
  return bits;
}
