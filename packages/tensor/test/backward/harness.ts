import { expect } from "vitest";
import type { Backend, CpuView, Op, View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import type { WasmBackend } from "../../src/backends/wasm/index.ts";
import { contiguousStrides, sizeOf } from "../../src/shape.ts";
import { firstDifference, float32, type HostView, scattered } from "../wasm-kernels/harness.ts";

type Numbers = Float32Array | Int32Array | Uint8Array;

/** A call of an op. Its results are written to `outputs`, whose elements say what was there before. */
export interface Call<Params> {
  readonly op: Op<Params>;
  readonly inputs: readonly HostView[];
  readonly params: Params;
  readonly outputs: readonly HostView[];
}

/** A result that exists before: zeros. */
export function zeros(shape: readonly number[]): HostView {
  return float32(new Float32Array(sizeOf(shape)), shape);
}

/** The whole storages behind the outputs after a call, gaps included. */
export function call<Params>(backend: Backend, { op, inputs, params, outputs }: Call<Params>): Numbers[] {
  const views: View[] = [...inputs, ...outputs].map(({ dtype, data, shape, strides, offset }) => {
    const storage = backend.upload(dtype, data as never);
    storage.retain();
    return { storage, dtype, shape, strides, offset };
  });
  try {
    backend.execute(op, views.slice(0, inputs.length), params, views.slice(inputs.length));
    return views.slice(inputs.length).map(({ storage }) => backend.readSync(storage).slice() as Numbers);
  } finally {
    for (const { storage } of views) storage.release();
  }
}

/** Elements of a view in row-major order. */
export function elements(view: HostView, data: Numbers = view.data): Float32Array {
  const steps = contiguousStrides(view.shape);
  return Float32Array.from({ length: sizeOf(view.shape) }, (_, i) => {
    const at = view.shape.reduce(
      (sum, size, axis) => sum + (Math.floor(i / steps[axis]!) % size) * view.strides[axis]!,
      0,
    );
    return data[view.offset + at]!;
  });
}

/** Of the largest operand: results that are smaller are what is left where large terms cancel, with those terms' rounding. */
const CANCELLED = 0.1;

/**
 * Asserts that every backend has the reference's results within `tolerance` of the largest of them, or of a tenth of the largest operand; that one, two and three threads
 * have the same bits, also of operands, and into results, that are strided in other ways; and that no kernel was missing.
 *
 * @param anyResult whether results may have gaps: of an op that writes to memory that exists
 */
export function expectSameEverywhere<Params>(
  backends: readonly { readonly name: string; readonly backend: WasmBackend }[],
  plain: Call<Params>,
  tolerance: number,
  random: () => number,
  anyResult = false,
): void {
  const expected = call(referenceBackend, plain) as Float32Array[];
  const floats = plain.inputs.filter(({ dtype }) => dtype === "float32");
  const operand = floats.reduce((most, view) => largest(elements(view), most), 0);
  let bits: Numbers[] | undefined;
  for (const { name, backend } of backends) {
    const actual = call(backend, plain);
    for (const [i, result] of actual.entries()) {
      const size = largest(expected[i]!, Math.max(CANCELLED * operand, 1e-30));
      expect(largestDifference(result, expected[i]!) / size, `${plain.op.name}, result ${i}, ${name}`).toBeLessThan(
        tolerance,
      );
    }
    const strided = {
      ...plain,
      inputs: plain.inputs.map((view) => scattered(view, random)),
      outputs: anyResult ? plain.outputs.map((view) => scattered(view, random)) : plain.outputs,
    };
    for (const [i, result] of call(backend, strided).entries()) {
      const view = strided.outputs[i]!;
      expect(firstDifference(elements(view, result), actual[i]!), `${plain.op.name}, strided, ${name}`).toBe(-1);
      expectGapsUntouched(view, result);
    }
    expect(backend.fallbacks.entries()).toEqual([]);
    if (name === "relaxed") continue; // rounds otherwise
    bits ??= actual;
    for (const [i, result] of actual.entries()) expect(firstDifference(result, bits[i]!), name).toBe(-1);
  }
}

function expectGapsUntouched(view: HostView, after: Numbers): void {
  const own = new Uint8Array(after.length);
  const places = { ...view, data: Float32Array.from(after, (_, i) => i) };
  for (const place of elements(places)) own[place] = 1;
  for (let i = 0; i < after.length; i++) {
    if (!own[i] && !Object.is(after[i], view.data[i]))
      expect.fail(`element ${i} is outside the result, but was written`);
  }
}

function largest(numbers: ArrayLike<number>, least: number): number {
  return Array.from(numbers).reduce((most, x) => Math.max(most, Math.abs(x)), least);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = difference; // NaN stays
  }
  return worst;
}

// ---- float64: the kernels of the reference are plain functions, which compute with whatever array they get

export interface Doubles {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

export function doubles(shape: readonly number[], random: () => number, spread = 1): Doubles {
  const data = Float64Array.from({ length: sizeOf(shape) }, () => spread * (random() + random() + random() - 1.5));
  return { data, shape };
}

/** Runs an op's reference in float64; `outputs`: shapes, or what is there before. */
export function runDoubles<Params>(
  op: Op<Params>,
  inputs: readonly (Doubles | HostView)[],
  params: Params,
  outputs: readonly (readonly number[] | Doubles)[],
): Float64Array[] {
  const views = outputs.map((output) =>
    cpuView(
      "data" in output
        ? { ...output, data: output.data.slice() }
        : { data: new Float64Array(sizeOf(output)), shape: output },
    ),
  );
  op.reference(inputs.map(cpuView), params, views);
  return views.map(({ data }) => data as unknown as Float64Array);
}

function cpuView(value: Doubles | HostView): CpuView {
  const { data, shape } = value;
  const strides = "strides" in value ? value.strides : contiguousStrides(shape);
  const dtype = "dtype" in value ? value.dtype : "float32";
  const view = wholeView({ dtype } as never, shape);
  return { ...view, strides, data: data as never };
}

/**
 * Asserts that `gradient` is the one of Σ weights·f(x), by central differences in float64 in every element of x.
 */
export function expectGradient(x: Doubles, gradient: Float64Array, loss: () => number, tolerance = 1e-6): void {
  const step = 1e-4;
  const size = gradient.reduce((most, d) => Math.max(most, Math.abs(d)), 1e-3);
  for (let i = 0; i < x.data.length; i++) {
    const value = x.data[i]!;
    const at = (moved: number): number => {
      x.data[i] = moved;
      return loss();
    };
    // Of fourth order.
    const near = at(value + step) - at(value - step);
    const far = at(value + 2 * step) - at(value - 2 * step);
    x.data[i] = value;
    const difference = (8 * near - far) / (12 * step);
    expect(Math.abs(gradient[i]! - difference) / size, `element ${i}: ${gradient[i]} and ${difference}`).toBeLessThan(
      tolerance,
    );
  }
}

/** Σ a·b */
export function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}
