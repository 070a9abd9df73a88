// Draws from softmax(logits / temperature), in float64: step by step what reference/categorical.ts does.
import { chunkCount, chunkStart, int, pointer } from "./control";
import { expOf, expOfPlain, LEAST_PLAIN } from "./exp-double";
import { largestOf } from "./extremes";
import { loadDoubles } from "./sums";

/**
 * ids[i]: the first index at which the running sum of probabilities of row i exceeds its uniform number; −1 if there is none. Ints:
 * logits, bytes from one row to the next, doubles (of each row the temperature and the uniform number), room for a row of doubles
 * for each chunk, ids, rows, columns.
 */
export function categoricalJob(chunk: i32): void {
  const columns = int(6);
  const weights = pointer(3) + ((<usize>chunk * <usize>columns) << 3);
  const end = chunkStart(chunk + 1, chunkCount(), int(5));
  for (let row = chunkStart(chunk, chunkCount(), int(5)); row < end; row++) {
    const logits = pointer(0) + <usize>row * pointer(1);
    const numbers = pointer(2) + (<usize>row << 4);
    const total = weigh(logits, columns, load<f64>(numbers), weights);
    store<i32>(pointer(4) + (<usize>row << 2), drawn(weights, columns, total, load<f64>(numbers, 8)));
  }
}

/** weights[j] = e^((logits[j] − largest) / temperature); the sum of them, one after another. */
function weigh(logits: usize, columns: i32, temperature: f64, weights: usize): f64 {
  const largest = <f64>largestOf(logits, columns);
  const largests = f64x2.splat(largest);
  const temperatures = f64x2.splat(temperature);
  const least = f64x2.splat(LEAST_PLAIN);
  const end = logits + (<usize>columns << 2);
  const whole = logits + (<usize>(columns >> 1) << 3);
  let total: f64 = 0;
  for (; logits < whole; logits += 8, weights += 16) {
    const x = f64x2.div(f64x2.sub(loadDoubles(logits), largests), temperatures);
    const pair = i64x2.all_true(f64x2.gt(x, least)) ? expOfPlain(x) : expOfEach(x);
    v128.store(weights, pair);
    total += f64x2.extract_lane(pair, 0);
    total += f64x2.extract_lane(pair, 1);
  }
  if (logits < end) {
    const weight = expOf((<f64>load<f32>(logits) - largest) / temperature);
    store<f64>(weights, weight);
    total += weight;
  }
  return total;
}

function expOfEach(x: v128): v128 {
  return f64x2.replace_lane(f64x2.splat(expOf(f64x2.extract_lane(x, 0))), 1, expOf(f64x2.extract_lane(x, 1)));
}

function drawn(weights: usize, columns: i32, total: f64, uniform: f64): i32 {
  if (!(total > 0)) return -1; // NaN, too
  let sum: f64 = 0;
  let last = -1; // rounding may leave the sum of all just below the uniform number
  for (let j = 0; j < columns; j++) {
    const probability = load<f64>(weights + (<usize>j << 3)) / total;
    if (probability == 0) continue;
    sum += probability;
    if (sum > uniform) return j;
    last = j;
  }
  return last;
}
