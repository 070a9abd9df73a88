/** The process of one matrix library: answers requests for samples; idle in between. */
import { serve } from "../harness/child.ts";
import { lowbias32 } from "../synthetic.ts";
import type { MatmulEngine, MatmulSpec, Product, Transfers } from "./matmul-engine.ts";
import { openMatmul } from "./open-matmul.ts";

const spec: MatmulSpec = JSON.parse(process.argv[2] ?? "{}");
let loaded: Promise<MatmulEngine> | undefined;
const engine = (): Promise<MatmulEngine> => {
  loaded ??= openMatmul(spec);
  return loaded;
};
let product: Product | undefined;
let operations = 0;

serve({
  facts: async () => (await engine()).facts,

  /**
   * Puts the operands of an m×k by k×n product on the device and computes it once.
   *
   * @returns the largest error of 64 of its elements against float64 sums.
   */
  async prepare(m: number, k: number, n: number): Promise<number> {
    product?.dispose();
    const [a, b] = [noise(m * k, 1), noise(k * n, 2)];
    product = await (await engine()).prepare(a, b, m, k, n);
    operations = 2 * m * k * n;
    const result = await product.run();
    if (result.length !== m * n)
      throw new RangeError(`a product of ${result.length} elements where ${m * n} were expected`);
    let largest = 0;
    for (let probe = 0; probe < 64; probe++) {
      const [row, column] = [lowbias32(probe) % m, lowbias32(probe + 64) % n];
      let sum = 0;
      for (let i = 0; i < k; i++) sum += (a[row * k + i] ?? 0) * (b[i * n + column] ?? 0);
      const error = Math.abs(sum - (result[row * n + column] ?? Number.NaN));
      if (!(error <= largest)) largest = error;
    }
    return largest;
  },

  /** What was moved to the device and back so far; undefined for engines that move nothing. */
  transfers: async (): Promise<Transfers | undefined> => product?.transfers?.(),

  /** Multiply-adds count as two operations: GFLOP per second of `repeats` products in a row. */
  async sample(repeats: number): Promise<number> {
    if (product === undefined) throw new Error("sample() before prepare()");
    const start = performance.now();
    for (let i = 0; i < repeats; i++) await product.run();
    return (operations * repeats) / ((performance.now() - start) / 1000) / 1e9;
  },
});

/** Values in [-0.5, 0.5) that differ everywhere. */
function noise(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => lowbias32(i + seed * 0x9e3779b9) / 2 ** 32 - 0.5);
}
