/** Two odd numbers of 32 bits, drawn when the program starts: keys for hashes of what files bring. */
export function hashKeys(): readonly [number, number] {
  const [first = 0, second = 0] = crypto.getRandomValues(new Int32Array(2));
  return [first | 1, second | 1];
}
