// One step of AdamW: each of its four arrays passes once.
import { chunkCount, chunkStart, float, int, pointer } from "../control";
import { loadSome, madd, storeSome } from "../simd";

/**
 * m += (1 − β₁)(g − m), v += (1 − β₂)(g² − v), w = keep·w − rate·m / (√v·correction + ε). Ints: g, w, m, v, elements. Floats: 1 − β₁,
 * 1 − β₂, ε, what g is multiplied by, keep, rate, correction.
 */
export function adamWJob(chunk: i32): void {
  const first = chunkStart(chunk, chunkCount(), int(4));
  const count = chunkStart(chunk + 1, chunkCount(), int(4)) - first;
  const offset = <usize>first << 2;
  let g = pointer(0) + offset;
  let w = pointer(1) + offset;
  let m = pointer(2) + offset;
  let v = pointer(3) + offset;
  const fresh1 = f32x4.splat(float(0));
  const fresh2 = f32x4.splat(float(1));
  const epsilon = f32x4.splat(float(2));
  const scale = f32x4.splat(float(3));
  const keep = f32x4.splat(float(4));
  const rate = f32x4.splat(float(5));
  const correction = f32x4.splat(float(6));
  for (const end = g + (<usize>(count >> 2) << 4); g < end; g += 16, w += 16, m += 16, v += 16) {
    const gradient = f32x4.mul(v128.load(g), scale);
    const mean = moved(v128.load(m), gradient, fresh1);
    const square = moved(v128.load(v), f32x4.mul(gradient, gradient), fresh2);
    v128.store(m, mean);
    v128.store(v, square);
    v128.store(w, stepped(v128.load(w), mean, square, keep, rate, correction, epsilon));
  }
  const rest = count & 3;
  if (rest) {
    const gradient = f32x4.mul(loadSome(g, rest), scale);
    const mean = moved(loadSome(m, rest), gradient, fresh1);
    const square = moved(loadSome(v, rest), f32x4.mul(gradient, gradient), fresh2);
    storeSome(m, mean, rest);
    storeSome(v, square, rest);
    storeSome(w, stepped(loadSome(w, rest), mean, square, keep, rate, correction, epsilon), rest);
  }
}

// @ts-expect-error: decorator
@inline
function moved(from: v128, to: v128, share: v128): v128 {
  return madd(share, f32x4.sub(to, from), from);
}

// @ts-expect-error: decorator
@inline
function stepped(w: v128, m: v128, v: v128, keep: v128, rate: v128, correction: v128, epsilon: v128): v128 {
  const size = f32x4.add(f32x4.mul(f32x4.sqrt(v), correction), epsilon);
  return f32x4.sub(f32x4.mul(keep, w), f32x4.div(f32x4.mul(rate, m), size));
}
