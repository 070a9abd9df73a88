// The gradients of the activations that a linear layer can end in.
import { UNARY_GELU, UNARY_GELU_EXACT, UNARY_QUICK_GELU, UNARY_RELU, UNARY_SIGMOID, UNARY_SILU, UNARY_TANH } from "../../abi";
import { chunkCount, chunkStart, int, pointer } from "../control";
import { erf, exp, tanh } from "../math";
import { loadSome, storeSome } from "../simd";

/** dx = dy·f′(x). Ints: x, dy, dx, elements, which (UNARY_… of ../../abi.ts). */
export function activationBackwardJob(chunk: i32): void {
  const which = int(4);
  const first = chunkStart(chunk, chunkCount(), int(3));
  const count = chunkStart(chunk + 1, chunkCount(), int(3)) - first;
  const offset = <usize>first << 2;
  const x = pointer(0) + offset;
  const dy = pointer(1) + offset;
  const dx = pointer(2) + offset;
  if (which == UNARY_GELU) run<Gelu>(x, dy, dx, count);
  else if (which == UNARY_GELU_EXACT) run<GeluExact>(x, dy, dx, count);
  else if (which == UNARY_QUICK_GELU) run<QuickGelu>(x, dy, dx, count);
  else if (which == UNARY_RELU) run<Relu>(x, dy, dx, count);
  else if (which == UNARY_SIGMOID) run<Sigmoid>(x, dy, dx, count);
  else if (which == UNARY_SILU) run<Silu>(x, dy, dx, count);
  else if (which == UNARY_TANH) run<Tanh>(x, dy, dx, count);
  else unreachable();
}

// Types, so that each function has a loop of its own.
class Gelu {}
class GeluExact {}
class QuickGelu {}
class Relu {}
class Sigmoid {}
class Silu {}
class Tanh {}

function run<F>(x: usize, dy: usize, dx: usize, count: i32): void {
  for (const end = x + (<usize>(count >> 2) << 4); x < end; x += 16, dy += 16, dx += 16) {
    v128.store(dx, f32x4.mul(v128.load(dy), slope<F>(v128.load(x))));
  }
  const rest = count & 3;
  if (rest) storeSome(dx, f32x4.mul(loadSome(dy, rest), slope<F>(loadSome(x, rest))), rest);
}

// @ts-expect-error: decorator
@inline
function all(x: f32): v128 {
  return f32x4.splat(x);
}

/**
 * x cut to where the slopes of GELU and its kin are 1 and 0 in float32, and products of the exponentials no subnormal numbers yet, which
 * processors are slow with. NaN passes.
 */
// @ts-expect-error: decorator
@inline
function bounded(x: v128, most: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, all(-most)), all(most));
}

/** f′(x). */
// @ts-expect-error: decorator
@inline
function slope<F>(x: v128): v128 {
  if (idof<F>() == idof<Gelu>()) {
    // x·σ(s), s = 2√(2/π)(x + 0.044715x³)
    const y = bounded(x, 8);
    const square = f32x4.mul(y, y);
    const s = f32x4.mul(y, f32x4.add(all(1.5957691216057308), f32x4.mul(all(0.07135481627159999), square)));
    const ds = f32x4.add(all(1.5957691216057308), f32x4.mul(all(0.21406444881479997), square));
    return gated(y, s, ds);
  }
  if (idof<F>() == idof<GeluExact>()) {
    // Φ(x) + x·φ(x)
    const y = bounded(x, 10);
    const cumulative = f32x4.mul(all(0.5), f32x4.add(all(1), erf(f32x4.mul(y, all(0.7071067811865476)))));
    const density = f32x4.mul(all(0.3989422804014327), exp(f32x4.mul(all(-0.5), f32x4.mul(y, y))));
    return f32x4.add(cumulative, f32x4.mul(y, density));
  }
  if (idof<F>() == idof<QuickGelu>()) {
    const y = bounded(x, 30);
    return gated(y, f32x4.mul(all(1.702), y), all(1.702));
  }
  if (idof<F>() == idof<Silu>()) {
    const y = bounded(x, 50);
    return gated(y, y, all(1));
  }
  if (idof<F>() == idof<Sigmoid>()) return variance(exp(f32x4.neg(f32x4.abs(x))));
  if (idof<F>() == idof<Tanh>()) {
    const t = tanh(x);
    return f32x4.mul(f32x4.sub(all(1), t), f32x4.add(all(1), t));
  }
  // ReLU: 1 or 0, and NaN of NaN.
  return v128.bitselect(v128.and(all(1), f32x4.gt(x, all(0))), x, f32x4.eq(x, x));
}

/** σ(s)·σ(−s), of e^−|s|. */
// @ts-expect-error: decorator
@inline
function variance(e: v128): v128 {
  const sum = f32x4.add(all(1), e);
  return f32x4.div(e, f32x4.mul(sum, sum));
}

/** (x·σ(s))′ = σ(s) + x·σ(s)·σ(−s)·s′ */
// @ts-expect-error: decorator
@inline
function gated(x: v128, s: v128, ds: v128): v128 {
  const e = exp(f32x4.neg(f32x4.abs(s)));
  const sigmoid = f32x4.div(v128.bitselect(e, all(1), f32x4.lt(s, all(0))), f32x4.add(all(1), e));
  return f32x4.add(sigmoid, f32x4.mul(f32x4.mul(x, variance(e)), ds));
}
