// The gradients of logits, from those of the log-probabilities of targets and of log Σ e^z.
import { chunkCount, chunkStart, int, pointer } from "../control";
import { exp } from "../math";
import { loadSome, storeSome } from "../simd";

/**
 * dz[j] = (dLogProb if j = target) + (dLogSumExp − dLogProb)·e^(z[j] − logSumExp), in place of z, for some of its columns. Ints: z,
 * bytes from one row to the next, rows, columns, number of the first column; then for each row: targets, logSumExp, dLogProbs, dLogSumExp. Split by rows.
 */
export function logitGradientsJob(chunk: i32): void {
  const columns = int(3);
  const rest = columns & 3;
  const end = chunkStart(chunk + 1, chunkCount(), int(2));
  for (let row = chunkStart(chunk, chunkCount(), int(2)); row < end; row++) {
    const at = <usize>row << 2;
    const start = pointer(0) + <usize>row * pointer(1);
    const target = load<i32>(pointer(5) + at) - int(4);
    const logSumExp = v128.load32_splat(pointer(6) + at);
    const dLogProb = load<f32>(pointer(7) + at);
    const share = f32x4.splat(load<f32>(pointer(8) + at) - dLogProb);
    let z = start;
    for (const whole = z + (<usize>(columns >> 2) << 4); z < whole; z += 16) {
      v128.store(z, f32x4.mul(share, exp(f32x4.sub(v128.load(z), logSumExp))));
    }
    if (rest) storeSome(z, f32x4.mul(share, exp(f32x4.sub(loadSome(z, rest), logSumExp))), rest);
    if (target >= 0 && target < columns) {
      const to = start + (<usize>target << 2);
      store<f32>(to, load<f32>(to) + dLogProb);
    }
  }
}
