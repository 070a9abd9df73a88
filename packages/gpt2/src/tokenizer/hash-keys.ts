/**
 * Two odd numbers of 32 bits: keys for hashes of what files bring. Each table draws its own, and none while modules load: there
 * Cloudflare's workers give no random numbers.
 */
export function hashKeys(): readonly [number, number] {
  const [first = 0, second = 0] = crypto.getRandomValues(new Int32Array(2));
  return [first | 1, second | 1];
}
