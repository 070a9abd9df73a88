// Log-probabilities of targets, from the logits of some rows.
import { chunkCount, chunkStart, int, pointer } from "./control";
import { largestOf } from "./extremes";
import { logOfExponentials, logSumExp } from "./softmax";

/**
 * logProbs[i] = z[t] - m - log Σₖ e^(z[k] - m), as logSoftmaxJob computes it, z the logits of row i and t = targets[i]; and their
 * logSumExp. Ints: logits, targets (all below the number of columns), logProbs, logSumExp, rows, columns.
 */
export function targetLogProbsJob(chunk: i32): void {
  const columns = int(5);
  const end = chunkStart(chunk + 1, chunkCount(), int(4));
  for (let row = chunkStart(chunk, chunkCount(), int(4)); row < end; row++) {
    const at = <usize>row << 2;
    const logits = pointer(0) + at * <usize>columns;
    const target = load<usize>(pointer(1) + at);
    const largest = largestOf(logits, columns);
    const logSum = logOfExponentials(logits, columns, largest);
    store<f32>(pointer(2) + at, <f32>(<f64>load<f32>(logits + (target << 2)) - <f64>largest - logSum));
    store<f32>(pointer(3) + at, logSumExp(largest, logSum));
  }
}
