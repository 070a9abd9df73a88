/**
 * Draws from probabilities that add up to 1: the first index at which their running sum exceeds `uniform`, a number in [0, 1).
 * Rounding may leave the sum of all just below it: then the last index with a probability.
 */
export function drawIndex(probabilities: Float64Array, uniform: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i]!;
    if (probability === 0) continue;
    sum += probability;
    if (sum > uniform) return i;
    last = i;
  }
  return last;
}
