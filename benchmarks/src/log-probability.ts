/** The natural log-probability of one token, from the logits of all. */
export function logProbability(logits: Float32Array, token: number): number {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > largest) largest = logits[i]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - largest);
  return logits[token]! - largest - Math.log(sum);
}
