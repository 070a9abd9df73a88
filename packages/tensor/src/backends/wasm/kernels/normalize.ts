// LayerNorm along rows that lie without gaps.
import { chunkCount, chunkStart, float, int, pointer } from "./control";
import { loadSome, madd, storeSome } from "./simd";
import { loadDoubles, sumOf, sumOfSquaredDeviations } from "./sums";

/**
 * out[c] = (x[c] - mean)/√(variance + ε)·weight[c] + bias[c]; all but the last product and sum in float64.
 * Ints: x, bytes from one row to the next, out, rows, columns, weight, bias. Float: ε.
 */
export function layerNormJob(chunk: i32): void {
  const columns = int(4);
  const weight = pointer(5);
  const bias = pointer(6);
  const epsilon = <f64>float(0);
  const end = chunkStart(chunk + 1, chunkCount(), int(3));
  for (let row = chunkStart(chunk, chunkCount(), int(3)); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    const out = pointer(2) + ((<usize>row * <usize>columns) << 2);
    const mean = sumOf(x, columns) / <f64>columns;
    const variance = sumOfSquaredDeviations(x, columns, mean) / <f64>columns;
    const means = f64x2.splat(mean);
    const scale = 1 / Math.sqrt(variance + epsilon);
    const scales = f64x2.splat(scale);
    let at: usize = 0;
    const whole = <usize>(columns >> 2) << 4;
    for (; at < whole; at += 16) {
      const low = f64x2.mul(f64x2.sub(loadDoubles(x + at), means), scales);
      const high = f64x2.mul(f64x2.sub(loadDoubles(x + at + 8), means), scales);
      const y = v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
      v128.store(out + at, madd(y, v128.load(weight + at), v128.load(bias + at)));
    }
    const rest = columns & 3;
    if (rest) {
      for (let j: usize = 0; j < <usize>rest; j++) {
        store<f32>(out + at + (j << 2), <f32>((<f64>load<f32>(x + at + (j << 2)) - mean) * scale));
      }
      const y = loadSome(out + at, rest);
      storeSome(out + at, madd(y, loadSome(weight + at, rest), loadSome(bias + at, rest)), rest);
    }
  }
}
