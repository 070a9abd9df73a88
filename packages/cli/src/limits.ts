import { type ArithmeticKind, type Backend, type MatrixEncoding, ones, tidy } from "@gpt2-ts/tensor";

/** What a device reaches, per millisecond. */
export interface Limits {
  /** Bytes of a matrix that a product with one row reads. */
  readonly bytes: number;
  /** Multiplications and additions of a product whose operands stay in the cache; Infinity where it was not measured. */
  readonly operations: Readonly<Record<ArithmeticKind, number>>;
}

/** Rows and columns of the matrix that is read: 128 MiB, more than most caches hold. */
const READ = [2048, 16384] as const;
/** Rows, inner size and columns of the product that computes: 1.5 MiB of operands. */
const PRODUCT = [256, 512, 512] as const;
/** The best of so many counts, because disturbances only make a measurement slower. */
const TRIALS = 5;

/**
 * Measures what a synchronous device gives, in a few tenths of a second, with its own kernels: decoding is bound by what a product
 * with one row reads, reading a prompt by what a product of many rows computes, in each of these kinds of arithmetic.
 */
export function measureLimits(device: Backend, kinds: Iterable<ArithmeticKind>): Limits {
  const reading = product(device, [1, ...READ], "f32");
  const work = 2 * PRODUCT.reduce((size, dim) => size * dim, 1);
  const operations: Record<ArithmeticKind, number> = { f32: Infinity, int8: Infinity };
  for (const kind of kinds) operations[kind] = work / product(device, PRODUCT, kind);
  return { bytes: (4 * READ[0] * READ[1]) / reading, operations };
}

/** Milliseconds of a product `[M, K] × [K, N]`. */
function product(device: Backend, [M, K, N]: readonly [number, number, number], encoding: MatrixEncoding): number {
  return tidy(() => {
    const rows = ones([M, K], { device });
    // A row, repeated: the matrix exists once, packed.
    const matrix = ones([1, N], { device }).expand([K, N]).pack(encoding);
    let best = Infinity;
    for (let trial = 0; trial < TRIALS; trial++) {
      const start = performance.now();
      rows.matmul(matrix);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  });
}
