// The gradients of softmax and of its logarithm, along rows that lie without gaps. Ints: y, bytes from one row to the next, dy, bytes
// from one row to the next, dx, rows, columns.
import { chunkCount, chunkStart, int, pointer } from "../control";
import { exp } from "../math";
import { loadSome, storeSome } from "../simd";
import { loadDoubles, sumOf, sumOfLanes } from "../sums";

/** dx = y·(dy − Σ y·dy) */
export function softmaxBackwardJob(chunk: i32): void {
  const columns = int(6);
  const rest = columns & 3;
  const end = chunkStart(chunk + 1, chunkCount(), int(5));
  for (let row = chunkStart(chunk, chunkCount(), int(5)); row < end; row++) {
    let y = pointer(0) + <usize>row * pointer(1);
    let dy = pointer(2) + <usize>row * pointer(3);
    let dx = pointer(4) + ((<usize>row * <usize>columns) << 2);
    const sum = f32x4.splat(<f32>sumOfProducts(y, dy, columns));
    for (const whole = y + (<usize>(columns >> 2) << 4); y < whole; y += 16, dy += 16, dx += 16) {
      v128.store(dx, f32x4.mul(v128.load(y), f32x4.sub(v128.load(dy), sum)));
    }
    if (rest) storeSome(dx, f32x4.mul(loadSome(y, rest), f32x4.sub(loadSome(dy, rest), sum)), rest);
  }
}

/** dx = dy − e^y·Σ dy */
export function logSoftmaxBackwardJob(chunk: i32): void {
  const columns = int(6);
  const rest = columns & 3;
  const end = chunkStart(chunk + 1, chunkCount(), int(5));
  for (let row = chunkStart(chunk, chunkCount(), int(5)); row < end; row++) {
    let y = pointer(0) + <usize>row * pointer(1);
    let dy = pointer(2) + <usize>row * pointer(3);
    let dx = pointer(4) + ((<usize>row * <usize>columns) << 2);
    const sum = f32x4.splat(<f32>sumOf(dy, columns));
    for (const whole = y + (<usize>(columns >> 2) << 4); y < whole; y += 16, dy += 16, dx += 16) {
      v128.store(dx, f32x4.sub(v128.load(dy), f32x4.mul(exp(v128.load(y)), sum)));
    }
    if (rest) storeSome(dx, f32x4.sub(loadSome(dy, rest), f32x4.mul(exp(loadSome(y, rest)), sum)), rest);
  }
}

/** Σ a·b in float64. */
export function sumOfProducts(a: usize, b: usize, count: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const end = a + (<usize>count << 2);
  for (const whole = a + (<usize>(count >> 2) << 4); a < whole; a += 16, b += 16) {
    low = f64x2.add(low, f64x2.mul(loadDoubles(a), loadDoubles(b)));
    high = f64x2.add(high, f64x2.mul(loadDoubles(a + 8), loadDoubles(b + 8)));
  }
  let sum = sumOfLanes(low, high);
  for (; a < end; a += 4, b += 4) sum += <f64>load<f32>(a) * <f64>load<f32>(b);
  return sum;
}
