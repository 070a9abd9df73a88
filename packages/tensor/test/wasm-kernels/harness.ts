import { afterAll } from "vitest";
import type { Backend, Op, View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { hasRelaxedSimd } from "../../src/backends/wasm/features.ts";
import { createWasmBackend, type WasmBackend } from "../../src/backends/wasm/index.ts";
import type { DType } from "../../src/dtype.ts";
import { contiguousStrides, sizeOf } from "../../src/shape.ts";

/** Numbers in memory and how to look at them, before they are on any device. */
export interface HostView {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

export interface OutputSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** About normally distributed floats. */
export function normals(length: number, random: () => number, spread = 1): Float32Array {
  return Float32Array.from({ length }, () => spread * (random() + random() + random() + random() - 2) * 1.7);
}

export function float32(
  data: Float32Array,
  shape: readonly number[],
  strides = contiguousStrides(shape),
  offset = 0,
): HostView {
  return { data, dtype: "float32", shape, strides, offset };
}

/** Random floats of this shape in row-major order. */
export function randomFloats(shape: readonly number[], random: () => number, spread = 1): HostView {
  return float32(normals(sizeOf(shape), random, spread), shape);
}

/** The same values in a larger memory: a random order of axes, gaps between elements, an odd offset. */
export function scattered(view: HostView, random: () => number): HostView {
  const { shape, data } = view;
  const axes = shape.map((_, axis) => axis);
  for (let i = axes.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [axes[i], axes[j]] = [axes[j]!, axes[i]!];
  }
  const strides = new Array<number>(shape.length).fill(0);
  let step = 1 + Math.floor(random() * 2);
  for (const axis of axes) {
    strides[axis] = step;
    step *= shape[axis]! + Math.floor(random() * 2);
  }
  const offset = Math.floor(random() * 6);
  const spread = new (data.constructor as Float32ArrayConstructor)(offset + step + 1);
  const logical = contiguousStrides(shape);
  for (let i = 0; i < sizeOf(shape); i++) {
    let rest = i;
    let at = offset;
    for (let axis = 0; axis < shape.length; axis++) {
      at += Math.floor(rest / logical[axis]!) * strides[axis]!;
      rest %= logical[axis]!;
    }
    spread[at] = data[view.offset + i]!;
  }
  return { ...view, data: spread, strides, offset };
}

/** Runs an op on a backend and reads its outputs. */
export function runOn<Params>(
  backend: Backend,
  op: Op<Params>,
  inputs: readonly HostView[],
  params: Params,
  specs: readonly OutputSpec[],
): (Float32Array | Int32Array | Uint8Array)[] {
  const views: View[] = inputs.map(({ dtype, data, shape, strides, offset }) => {
    const storage = backend.upload(dtype, data as never);
    storage.retain();
    return { storage, dtype, shape, strides, offset };
  });
  const outputs = specs.map(({ dtype, shape }) => {
    const storage = backend.allocate(dtype, sizeOf(shape));
    storage.retain();
    return wholeView(storage, shape);
  });
  try {
    backend.execute(op, views, params, outputs);
    return outputs.map(({ storage }) => backend.readSync(storage).slice());
  } finally {
    for (const { storage } of [...views, ...outputs]) storage.release();
  }
}

/** As {@link runOn}, on the reference backend. */
export function runReference<Params>(
  op: Op<Params>,
  inputs: readonly HostView[],
  params: Params,
  specs: readonly OutputSpec[],
): (Float32Array | Int32Array | Uint8Array)[] {
  return runOn(referenceBackend, op, inputs, params, specs);
}

const wasmOptions = {
  "one thread": { threads: 1, deterministic: true },
  "two threads": { threads: 2, deterministic: true },
  "three threads": { threads: 3, deterministic: true },
  /** The build with fused multiply-add; left out where the engine has none. */
  relaxed: { threads: 2, deterministic: false },
} as const;
export type WasmKind = keyof typeof wasmOptions;
const allKinds: readonly WasmKind[] = ["one thread", "two threads", "three threads", "relaxed"];

/** Wasm backends for the tests of a file to compare, all kinds unless told otherwise. */
export function wasmBackends(...kinds: readonly WasmKind[]): { name: WasmKind; backend: WasmBackend }[] {
  const backends = (kinds.length > 0 ? kinds : allKinds).flatMap((name) => {
    if (name === "relaxed" && !hasRelaxedSimd()) return [];
    return [{ name, backend: createWasmBackend(wasmOptions[name]) }];
  });
  afterAll(() => {
    for (const { backend } of backends) backend.dispose();
  });
  return backends;
}

/** The largest distance between two results, infinite where one has NaN and the other not. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i]!;
    const e = expected[i]!;
    if (Object.is(a, e) || a === e) continue;
    const error = Math.abs(a - e);
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }
  return worst;
}

/** Index of the first element that is not the same number (sign of zero included), or -1. */
export function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let i = 0; i < a.length; i++) {
    if (!Object.is(a[i], b[i])) return i;
  }
  return -1;
}
