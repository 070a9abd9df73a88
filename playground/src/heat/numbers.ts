/** Significant digits of shown values. */
const DIGITS = 6;

/** A value as it is shown: six digits, with a minus sign. */
export function shownNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  const magnitude = Math.abs(value);
  const shown = magnitude === Infinity ? "∞" : magnitude.toPrecision(DIGITS);
  return value < 0 ? `−${shown}` : shown;
}

/** A number to be added up, with its sign. */
export function signedNumber(value: number, digits = 2): string {
  const shown = Math.abs(value).toFixed(digits);
  if (Number(shown) === 0) return shown;
  return `${value < 0 ? "−" : "+"}${shown}`;
}

/** A probability or share, in percent with two digits behind the point. */
export function shownShare(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Surprise in bits of something that had this probability. */
export function bitsOf(probability: number): number {
  return -Math.log2(probability) + 0; // no -0
}

export function shownBits(bits: number, digits = 2): string {
  return bits === Infinity ? "∞" : bits.toFixed(digits);
}
