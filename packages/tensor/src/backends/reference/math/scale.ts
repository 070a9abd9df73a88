const smallestExponent = -1074;

/** Every power of two a float64 can hold, from 2⁻¹⁰⁷⁴ on: doubling is exact, `2 ** k` need not be. */
const powersOfTwo = new Float64Array(1023 - smallestExponent + 1);
for (let i = 0, power = Number.MIN_VALUE; i < powersOfTwo.length; i++, power *= 2) powersOfTwo[i] = power;

/** x·2ᵏ for 1/4 ≤ |x| ≤ 4 and any k, rounded once. */
export function scaled(x: number, k: number): number {
  if (k > 1020) return k > 1030 ? x * Infinity : x * powersOfTwo[1000 - smallestExponent]! * powerOfTwo(k - 1000);
  if (k < -1020) return k < -1080 ? x * 0 : x * powersOfTwo[-1000 - smallestExponent]! * powerOfTwo(k + 1000);
  return x * powerOfTwo(k);
}

/** 2ᵏ for an integer −1074 ≤ k ≤ 1023. */
export function powerOfTwo(k: number): number {
  return powersOfTwo[k - smallestExponent]!;
}

const bits = new DataView(new ArrayBuffer(8));

/** The integer k with 2ᵏ ≤ |x| < 2ᵏ⁺¹, for a finite x that is not 0. */
export function exponentOf(x: number): number {
  bits.setFloat64(0, x);
  const biased = (bits.getUint16(0) >> 4) & 0x7ff;
  return biased > 0 ? biased - 1023 : exponentOf(x * powerOfTwo(60)) - 60;
}
