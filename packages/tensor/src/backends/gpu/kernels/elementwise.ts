import type { DType } from "../../../dtype.ts";
import { sizeOf } from "../../../shape.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { Launcher } from "../launcher.ts";
import type { GpuView } from "../storage.ts";
import { type Axis, collapse } from "./axes.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { contiguous, refusal } from "./operands.ts";

/** The operations of `unary`, compiled in one by one as `constants.op`. */
const unaryNumbers = {
  neg: 0,
  abs: 1,
  sign: 2,
  square: 3,
  sqrt: 4,
  rsqrt: 5,
  reciprocal: 6,
  exp: 7,
  log: 8,
  tanh: 9,
  sigmoid: 10,
  relu: 11,
  gelu: 12,
  floor: 13,
  ceil: 14,
  round: 15,
  logicalNot: 16,
  geluExact: 17,
  silu: 18,
  quickGelu: 19,
} as const;
/** Casts, also in `unary`: to bool; from float32 to uint8; and where the floats are the same. */
const TO_BOOL = 20;
const TO_UINT8 = 21;
const SAME = 22;

const unary: KernelSpec = {
  name: "unary",
  arguments: ["buffer", "int"],
  body(x: number[], offset: number) {
    const v = x[offset + this.thread.x]!;
    let out = v;
    let e = 0;
    let p = 0;
    if (this.constants.op === 0) out = -v;
    if (this.constants.op === 1) out = Math.abs(v);
    if (this.constants.op === 2) {
      if (v > 0) out = 1;
      if (v < 0) out = -1;
    }
    if (this.constants.op === 3) out = v * v;
    if (this.constants.op === 4) out = Math.sqrt(v);
    if (this.constants.op === 5) out = 1 / Math.sqrt(v);
    if (this.constants.op === 6) out = 1 / v;
    if (this.constants.op === 7) out = Math.exp(v);
    if (this.constants.op === 8) out = Math.log(v);
    if (this.constants.op === 9) {
      // WGSL's tanh overflows for large |v| and cancels for small ones: (1 − e)/(1 + e), e = exp(−2|v|), or its series.
      e = Math.exp(-2 * Math.min(Math.abs(v), 20));
      out = (1 - e) / (1 + e);
      if (v < 0) out = -out;
      e = v * v;
      if (e < 0.0625) {
        out = v * (1 - e * (0.33333333 - e * (0.13333333 - e * (0.053968254 - e * (0.021869489 - e * 0.0088632355)))));
      }
    }
    // exp of more than 88.7 overflows, for which WGSL promises nothing.
    if (this.constants.op === 10) out = 1 / (1 + Math.exp(Math.min(-v, 88)));
    if (this.constants.op === 11) out = Math.max(v, 0);
    // ½v(1 + tanh u) = v/(1 + exp(−2u)), u = √(2/π)(v + 0.044715v³); 0 in float32 from −12 down
    if (this.constants.op === 12) {
      out = v / (1 + Math.exp(Math.min(-1.5957691216 * (v + 0.044715 * v * v * v), 88)));
      if (v < -12) out = 0;
    }
    if (this.constants.op === 13) out = Math.floor(v);
    if (this.constants.op === 14) out = Math.ceil(v);
    if (this.constants.op === 15) {
      out = Math.floor(v);
      // Halves go to the even neighbour.
      if (v - out > 0.5) out += 1;
      if (v - out === 0.5 && out - 2 * Math.floor(out * 0.5) > 0.5) out += 1;
    }
    if (this.constants.op === 16) out = 1 - v;
    if (this.constants.op === 17) {
      // v·Φ(v) with s = |v|/√2: by erf(s) near 0, elsewhere by erfc(s) = e^(−s²)·p, with the polynomials of wasm's kernels/math.ts.
      const s = Math.min(Math.abs(v), 20) * Math.SQRT1_2;
      if (s < 1) {
        e = s * s;
        p = 7.8538607e-5;
        p = p * e - 0.00080101937;
        p = p * e + 0.0051883277;
        p = p * e - 0.026853811;
        p = p * e + 0.11283585;
        p = p * e - 0.37612626;
        p = p * e + 0.12837917;
        out = 0.5 * (s + s * p);
        if (v < 0) out = -out;
        out = v * (0.5 + out);
      } else {
        e = 2 / (2 + s);
        p = -0.070818007;
        p = p * e + 0.22261763;
        p = p * e - 0.19713949;
        p = p * e - 0.025034264;
        p = p * e + 0.005778722;
        p = p * e + 0.074709259;
        p = p * e + 0.17909928;
        p = p * e + 0.24637285;
        p = p * e + 0.28213504;
        p = p * e + 0.28209332;
        p *= e;
        out = 0.5 * Math.exp(-s * s) * p;
        if (v > 0) out = 1 - out;
        out = v * out;
        if (v < -20) out = 0;
      }
    }
    if (this.constants.op === 18) {
      out = v / (1 + Math.exp(Math.min(-v, 88)));
      if (v < -88) out = 0;
    }
    if (this.constants.op === 19) {
      out = v / (1 + Math.exp(Math.min(-1.702 * v, 88)));
      if (v < -52) out = 0;
    }
    if (this.constants.op === 20) {
      out = 0;
      if (v !== 0) out = 1;
    }
    if (this.constants.op === 21) out = Math.floor(Math.min(Math.max(v, 0), 255));
    return out;
  },
};

/** The operations of `binary`: those on numbers, then comparisons and those on bools. */
const binaryNumbers = { add: 0, sub: 1, mul: 2, div: 3, maximum: 4, minimum: 5 } as const;
const testNumbers = { eq: 6, ne: 7, lt: 8, le: 9, gt: 10, ge: 11, logicalAnd: 12, logicalOr: 13 } as const;

const binary: KernelSpec = {
  name: "binary",
  arguments: ["buffer", "buffer", "int", "int", "int", "int", "int", "int", "int"],
  body(
    a: number[],
    b: number[],
    columns: number,
    aOffset: number,
    aRow: number,
    aColumn: number,
    bOffset: number,
    bRow: number,
    bColumn: number,
  ) {
    let row = 0;
    row = Math.floor(this.thread.x / columns) >> 0;
    if (row * columns > this.thread.x) row--;
    if (this.thread.x - row * columns >= columns) row++;
    const u = a[aOffset + row * aRow + (this.thread.x - row * columns) * aColumn]!;
    const v = b[bOffset + row * bRow + (this.thread.x - row * columns) * bColumn]!;
    let out = 0;
    if (this.constants.op === 0) out = u + v;
    if (this.constants.op === 1) out = u - v;
    if (this.constants.op === 2) out = u * v;
    if (this.constants.op === 3) out = u / v;
    if (this.constants.op === 4) out = Math.max(u, v);
    if (this.constants.op === 5) out = Math.min(u, v);
    if (this.constants.op === 6 && u === v) out = 1;
    if (this.constants.op === 7 && u !== v) out = 1;
    if (this.constants.op === 8 && u < v) out = 1;
    if (this.constants.op === 9 && u <= v) out = 1;
    if (this.constants.op === 10 && u > v) out = 1;
    if (this.constants.op === 11 && u >= v) out = 1;
    if (this.constants.op === 12) out = u * v;
    if (this.constants.op === 13) out = Math.max(u, v);
    return out;
  },
};

const whereSpec: KernelSpec = {
  name: "where",
  arguments: ["buffer", "buffer", "buffer", "int", "int", "int", "int", "int", "int", "int", "int", "int", "int"],
  body(
    condition: number[],
    a: number[],
    b: number[],
    columns: number,
    cOffset: number,
    cRow: number,
    cColumn: number,
    aOffset: number,
    aRow: number,
    aColumn: number,
    bOffset: number,
    bRow: number,
    bColumn: number,
  ) {
    let row = 0;
    row = Math.floor(this.thread.x / columns) >> 0;
    if (row * columns > this.thread.x) row--;
    if (this.thread.x - row * columns >= columns) row++;
    let out = b[bOffset + row * bRow + (this.thread.x - row * columns) * bColumn]!;
    if (condition[cOffset + row * cRow + (this.thread.x - row * columns) * cColumn]! > 0.5) {
      out = a[aOffset + row * aRow + (this.thread.x - row * columns) * aColumn]!;
    }
    return out;
  },
};

const cast: GpuKernel<{ readonly dtype: DType }> = (launcher, [x], { dtype }, [out]) => {
  if (x!.dtype === "int32" || dtype === "int32") return "int32";
  const fromFloat = x!.dtype === "float32";
  const op = dtype === "bool" ? TO_BOOL : fromFloat && dtype === "uint8" ? TO_UINT8 : SAME;
  return ofOne(launcher, op, x!, out!);
};

const where: GpuKernel<undefined> = (launcher, inputs, _params, [out]) => ofSeveral(launcher, whereSpec, inputs, out!);

export const elementwiseKernels: GpuKernels = {
  ...Object.fromEntries(
    Object.entries(unaryNumbers).map(([name, op]): [string, GpuKernel<undefined>] => [
      name,
      (launcher, [x], _params, [out]) => ofOne(launcher, op, x!, out!),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({ ...binaryNumbers, ...testNumbers }).map(([name, op]): [string, GpuKernel<undefined>] => {
      const spec = { ...binary, constants: { op } };
      return [name, (launcher, inputs, _params, [out]) => ofSeveral(launcher, spec, inputs, out!)];
    }),
  ),
  cast,
  where,
};

function ofOne(launcher: Launcher, op: number, x: GpuView, out: GpuView): string | undefined {
  const reason = refusal(launcher, [x]);
  if (reason !== undefined) return reason;
  const { buffer, offset } = contiguous(launcher, x);
  out.storage.put(launcher.launch({ ...unary, constants: { op } }, sizeOf(out.shape), [buffer, offset]));
  return undefined;
}

/** Operands of the output's shape: as they lie if two axes describe them all, else as copies without gaps. */
function ofSeveral(launcher: Launcher, spec: KernelSpec, inputs: readonly GpuView[], out: GpuView): string | undefined {
  const reason = refusal(launcher, inputs);
  if (reason !== undefined) return reason;
  const size = sizeOf(out.shape);
  let operands = inputs.map(({ storage, offset }) => ({ buffer: storage.buffer, offset }));
  let axes = collapse(
    out.shape,
    inputs.map(({ strides }) => strides),
  );
  if (axes.length > 2) {
    operands = inputs.map((x) => contiguous(launcher, x));
    axes = [{ size, steps: inputs.map(() => 1) }];
  }
  const [outer, inner] = (axes.length === 2 ? axes : [undefined, axes[0]]) as [Axis | undefined, Axis];
  const layouts = operands.flatMap(({ offset }, i) => [offset, outer?.steps[i] ?? 0, inner.steps[i]!]);
  out.storage.put(launcher.launch(spec, size, [...operands.map(({ buffer }) => buffer), inner.size, ...layouts]));
  return undefined;
}
