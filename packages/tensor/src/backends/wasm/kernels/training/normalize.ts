// The gradients of LayerNorm. Ints of both jobs: x, bytes from one row to the next, dy, bytes from one row to the next, rows, columns,
// statistics: mean and 1/√(variance + ε) of each row, in float64.
import { BLOCK } from "../../abi";
import { chunkCount, chunkStart, float, int, pointer } from "../control";
import { loadDoubles, sumOf, sumOfLanes, sumOfSquaredDeviations } from "../sums";
import { toFloats } from "./sums";

/**
 * dx = r·(g − mean(g) − n·mean(g·n)), g = dy·weight, n = (x − mean)·r, all in float64; and the statistics. More ints: weight, dx.
 * Float: ε. Split by rows.
 */
export function layerNormBackwardJob(chunk: i32): void {
  const rows = int(4);
  const columns = int(5);
  const weight = pointer(7);
  const whole = <usize>(columns >> 2) << 4;
  const bytes = <usize>columns << 2;
  const end = chunkStart(chunk + 1, chunkCount(), rows);
  for (let row = chunkStart(chunk, chunkCount(), rows); row < end; row++) {
    const x = pointer(0) + <usize>row * pointer(1);
    const dy = pointer(2) + <usize>row * pointer(3);
    const dx = pointer(8) + <usize>row * bytes;
    const statistics = pointer(6) + (<usize>row << 4);
    const mean = sumOf(x, columns) / <f64>columns;
    const variance = sumOfSquaredDeviations(x, columns, mean) / <f64>columns;
    const scale = 1 / Math.sqrt(variance + <f64>float(0));
    store<f64>(statistics, mean);
    store<f64>(statistics, scale, 8);
    const means = f64x2.splat(mean);
    const scales = f64x2.splat(scale);
    let sum0 = f64x2.splat(0);
    let sum1 = f64x2.splat(0);
    let product0 = f64x2.splat(0);
    let product1 = f64x2.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const g0 = f64x2.mul(loadDoubles(dy + at), loadDoubles(weight + at));
      const g1 = f64x2.mul(loadDoubles(dy + at + 8), loadDoubles(weight + at + 8));
      sum0 = f64x2.add(sum0, g0);
      sum1 = f64x2.add(sum1, g1);
      product0 = f64x2.add(product0, f64x2.mul(g0, f64x2.mul(f64x2.sub(loadDoubles(x + at), means), scales)));
      product1 = f64x2.add(product1, f64x2.mul(g1, f64x2.mul(f64x2.sub(loadDoubles(x + at + 8), means), scales)));
    }
    let sum = sumOfLanes(sum0, sum1);
    let product = sumOfLanes(product0, product1);
    for (let at = whole; at < bytes; at += 4) {
      const g = <f64>load<f32>(dy + at) * <f64>load<f32>(weight + at);
      sum += g;
      product += g * ((<f64>load<f32>(x + at) - mean) * scale);
    }
    sum /= <f64>columns;
    product /= <f64>columns;
    const sums = f64x2.splat(sum);
    const products = f64x2.splat(product);
    for (let at: usize = 0; at < whole; at += 16) {
      const n0 = f64x2.mul(f64x2.sub(loadDoubles(x + at), means), scales);
      const n1 = f64x2.mul(f64x2.sub(loadDoubles(x + at + 8), means), scales);
      const g0 = f64x2.mul(loadDoubles(dy + at), loadDoubles(weight + at));
      const g1 = f64x2.mul(loadDoubles(dy + at + 8), loadDoubles(weight + at + 8));
      const d0 = f64x2.mul(scales, f64x2.sub(f64x2.sub(g0, sums), f64x2.mul(n0, products)));
      const d1 = f64x2.mul(scales, f64x2.sub(f64x2.sub(g1, sums), f64x2.mul(n1, products)));
      v128.store(dx + at, toFloats(d0, d1));
    }
    for (let at = whole; at < bytes; at += 4) {
      const n = (<f64>load<f32>(x + at) - mean) * scale;
      const g = <f64>load<f32>(dy + at) * <f64>load<f32>(weight + at);
      store<f32>(dx + at, <f32>(scale * (g - sum - n * product)));
    }
  }
}

/**
 * dWeight = Σ dy·n and dBias = Σ dy over all rows: blocks of BLOCK rows are summed in float64, and their sums, rounded, added in order.
 * More ints: dWeight, dBias. Split by columns.
 */
export function layerNormWeightsJob(chunk: i32): void {
  const columns = int(5);
  const groups = (columns + 3) >> 2;
  const end = chunkStart(chunk + 1, chunkCount(), groups);
  for (let group = chunkStart(chunk, chunkCount(), groups); group < end; group++) {
    const column = group << 2;
    if (column + 4 <= columns) sumFour(column);
    else for (let c = column; c < columns; c++) sumOne(c);
  }
}

function sumFour(column: i32): void {
  const rows = int(4);
  const at = <usize>column << 2;
  let x = pointer(0) + at;
  let dy = pointer(2) + at;
  let statistics = pointer(6);
  let weightSum = f32x4.splat(0);
  let biasSum = f32x4.splat(0);
  for (let start = 0; start < rows; start += BLOCK) {
    let weight0 = f64x2.splat(0);
    let weight1 = f64x2.splat(0);
    let bias0 = f64x2.splat(0);
    let bias1 = f64x2.splat(0);
    for (let row = min(BLOCK, rows - start); row > 0; row--) {
      const mean = v128.load64_splat(statistics);
      const scale = v128.load64_splat(statistics, 8);
      const dy0 = loadDoubles(dy);
      const dy1 = loadDoubles(dy + 8);
      bias0 = f64x2.add(bias0, dy0);
      bias1 = f64x2.add(bias1, dy1);
      weight0 = f64x2.add(weight0, f64x2.mul(dy0, f64x2.mul(f64x2.sub(loadDoubles(x), mean), scale)));
      weight1 = f64x2.add(weight1, f64x2.mul(dy1, f64x2.mul(f64x2.sub(loadDoubles(x + 8), mean), scale)));
      x += pointer(1);
      dy += pointer(3);
      statistics += 16;
    }
    weightSum = f32x4.add(weightSum, toFloats(weight0, weight1));
    biasSum = f32x4.add(biasSum, toFloats(bias0, bias1));
  }
  v128.store(pointer(7) + at, weightSum);
  v128.store(pointer(8) + at, biasSum);
}

function sumOne(column: i32): void {
  const rows = int(4);
  const at = <usize>column << 2;
  let x = pointer(0) + at;
  let dy = pointer(2) + at;
  let statistics = pointer(6);
  let weightSum: f32 = 0;
  let biasSum: f32 = 0;
  for (let start = 0; start < rows; start += BLOCK) {
    let weight: f64 = 0;
    let bias: f64 = 0;
    for (let row = min(BLOCK, rows - start); row > 0; row--) {
      const d = <f64>load<f32>(dy);
      bias += d;
      weight += d * ((<f64>load<f32>(x) - load<f64>(statistics)) * load<f64>(statistics, 8));
      x += pointer(1);
      dy += pointer(3);
      statistics += 16;
    }
    weightSum += <f32>weight;
    biasSum += <f32>bias;
  }
  store<f32>(pointer(7) + at, weightSum);
  store<f32>(pointer(8) + at, biasSum);
}
