// Linear algebra in integers modulo a prime, where nothing is rounded and a rank is a fact.

/** The largest prime below 2^26: products of two residues are exact in float64. */
export const PRIME = 67_108_859;

/** The rank of a matrix of residues, by Gaussian elimination. Overwrites the matrix. */
export function rank(matrix: number[][]): number {
  const columns = matrix[0]?.length ?? 0;
  let found = 0;
  for (let column = 0; column < columns && found < matrix.length; column++) {
    const pivot = matrix.findIndex((row, i) => i >= found && row[column] !== 0);
    if (pivot < 0) continue;
    [matrix[found], matrix[pivot]] = [matrix[pivot]!, matrix[found]!];
    const top = matrix[found]!;
    const inverse = power(top[column]!, PRIME - 2); // Fermat: a^(p-1) = 1
    for (const row of matrix.slice(found + 1)) {
      const factor = (row[column]! * inverse) % PRIME;
      if (factor === 0) continue;
      for (let j = column; j < columns; j++) row[j] = (row[j]! + PRIME - ((factor * top[j]!) % PRIME)) % PRIME;
    }
    found++;
  }
  return found;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2), square = (square * square) % PRIME) {
    if (rest % 2 === 1) result = (result * square) % PRIME;
  }
  return result;
}
