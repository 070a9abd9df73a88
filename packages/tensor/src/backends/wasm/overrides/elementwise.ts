import { byteSize, type DType } from "../../../dtype.ts";
import { sizeOf } from "../../../shape.ts";
import { isPacked, type Job, type WasmRuntime } from "../runtime.ts";
import type { WasmView } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

/** Elements that are worth a chunk of their own: of sums and the like, which wait for memory, and of functions. */
const CHEAP_CHUNK = 32_768;
const COSTLY_CHUNK = 4096;

/** Numbers of an operation on floats and on ints in kernels/unary.ts or kernels/binary.ts. */
interface Numbers {
  readonly float32?: number;
  readonly int32?: number;
}

const unaryNumbers: Readonly<Record<string, Numbers>> = {
  neg: { float32: 0, int32: 20 },
  abs: { float32: 1, int32: 21 },
  sign: { float32: 2 },
  square: { float32: 3, int32: 22 },
  sqrt: { float32: 4 },
  rsqrt: { float32: 5 },
  reciprocal: { float32: 6 },
  exp: { float32: 7 },
  expm1: { float32: 8 },
  log: { float32: 9 },
  log1p: { float32: 10 },
  tanh: { float32: 11 },
  sigmoid: { float32: 12 },
  erf: { float32: 13 },
  relu: { float32: 14 },
  gelu: { float32: 15 },
  geluExact: { float32: 16 },
  floor: { float32: 17 },
  ceil: { float32: 18 },
  round: { float32: 19 },
};
/** Numbers in kernels/unary.ts of the casts between words, and in kernels/cast.ts of the others. */
const FROM_INT32 = 23;
const TO_INT32 = 24;
const casts: Readonly<Record<string, number>> = {
  "uint8 to float32": 0,
  "bool to float32": 0,
  "uint8 to int32": 1,
  "bool to int32": 1,
  "float32 to bool": 2,
  "int32 to bool": 3,
  "uint8 to bool": 4,
  "float32 to uint8": 5,
  "int32 to uint8": 6,
};

const binaryNumbers: Readonly<Record<string, Numbers>> = {
  add: { float32: 0, int32: 6 },
  sub: { float32: 1, int32: 7 },
  mul: { float32: 2, int32: 8 },
  div: { float32: 3 },
  maximum: { float32: 4, int32: 9 },
  minimum: { float32: 5, int32: 10 },
};

/** The operation and whether its operands change places: a > b is b < a. */
const comparisons: Readonly<Record<string, Required<Numbers> & { readonly swap: boolean }>> = {
  eq: { float32: 0, int32: 4, swap: false },
  ne: { float32: 1, int32: 5, swap: false },
  lt: { float32: 2, int32: 6, swap: false },
  le: { float32: 3, int32: 7, swap: false },
  gt: { float32: 2, int32: 6, swap: true },
  ge: { float32: 3, int32: 7, swap: true },
};

const byteNumbers: Readonly<Record<string, number>> = { logicalAnd: 0, logicalOr: 1, ne: 2, eq: 3, logicalNot: 4 };

const cast: WasmKernel<{ readonly dtype: DType }> = (runtime, [x], { dtype }, [out]) => {
  if (isPacked(x!)) return "packed matrix";
  const from = x!.dtype;
  const which = casts[`${from} to ${dtype}`];
  if (which !== undefined) return elementwise(runtime, "castJob", which, [x!], out!);
  if (from === "int32" && dtype === "float32") return elementwise(runtime, "unaryJob", FROM_INT32, [x!], out!);
  if (from === "float32" && dtype === "int32") return elementwise(runtime, "unaryJob", TO_INT32, [x!], out!);
  runtime.copy(x!, runtime.pointer(out!));
  return undefined;
};

const where: WasmKernel<undefined> = (runtime, inputs, _params, [out]) =>
  byteSize(out!.dtype) === 4 ? elementwise(runtime, "whereJob", 0, inputs, out!) : out!.dtype;

/** A number that is not NaN equals itself. */
const isNaNKernel: WasmKernel<undefined> = (runtime, [x], _params, [out]) =>
  elementwise(runtime, "compareJob", comparisons["ne"]!.float32, [x!, x!], out!);

export const elementwiseKernels: WasmKernels = {
  ...Object.fromEntries(Object.entries(unaryNumbers).map(([name, numbers]) => [name, arithmetic("unaryJob", numbers)])),
  ...Object.fromEntries(
    Object.entries(binaryNumbers).map(([name, numbers]) => [name, arithmetic("binaryJob", numbers)]),
  ),
  ...Object.fromEntries(Object.keys(comparisons).map((name) => [name, comparison(name)])),
  logicalAnd: logical("logicalAnd"),
  logicalOr: logical("logicalOr"),
  logicalNot: logical("logicalNot"),
  isNaN: isNaNKernel,
  cast,
  where,
};

function arithmetic(job: Job, numbers: Numbers): WasmKernel<undefined> {
  return (runtime, inputs, _params, [out]) => {
    const { dtype } = out!;
    const which = dtype === "float32" || dtype === "int32" ? numbers[dtype] : undefined;
    return which === undefined ? dtype : elementwise(runtime, job, which, inputs, out!);
  };
}

function comparison(name: string): WasmKernel<undefined> {
  const { swap, ...numbers } = comparisons[name]!;
  return (runtime, inputs, _params, [out]) => {
    const [a, b] = inputs as readonly [WasmView, WasmView];
    if (a.dtype !== b.dtype) return `${a.dtype} and ${b.dtype}`;
    if (a.dtype === "float32" || a.dtype === "int32") {
      return elementwise(runtime, "compareJob", numbers[a.dtype], swap ? [b, a] : [a, b], out!);
    }
    const which = byteNumbers[name];
    return a.dtype === "bool" && which !== undefined ? elementwise(runtime, "bytesJob", which, inputs, out!) : a.dtype;
  };
}

function logical(name: string): WasmKernel<undefined> {
  const which = byteNumbers[name]!;
  return (runtime, [a, b], _params, [out]) => elementwise(runtime, "bytesJob", which, [a!, b ?? a!], out!);
}

/** Runs a job of kernels/unary.ts or kernels/binary.ts on operands of the output's shape. */
function elementwise(
  runtime: WasmRuntime,
  job: Job,
  which: number,
  inputs: readonly WasmView[],
  out: WasmView,
): string | undefined {
  if (inputs.some(isPacked)) return "packed matrix";
  const size = sizeOf(out.shape);
  if (size === 0) return undefined;
  const steps = inputs.map(({ dtype, strides }) => strides.map((stride) => stride * byteSize(dtype)));
  const axes = collapsed(out.shape, steps);
  const addresses = [0, 1, 2].map((i) => (inputs[i] ? runtime.pointer(inputs[i]) : 0));
  const args = [which, size, runtime.pointer(out), axes.length, ...addresses];
  for (const axis of axes) args.push(axis.size, axis.steps[0] ?? 0, axis.steps[1] ?? 0, axis.steps[2] ?? 0);
  runtime.run(job, runtime.chunks(size, job === "unaryJob" ? COSTLY_CHUNK : CHEAP_CHUNK), args);
  return undefined;
}

/** The fewest axes that visit the operands in the same order: no axes of size one, evenly spaced neighbours as one. */
function collapsed(
  shape: readonly number[],
  steps: readonly (readonly number[])[],
): { size: number; steps: number[] }[] {
  const axes: { size: number; steps: number[] }[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const here = steps.map((all) => all[axis]!);
    const outer = axes.at(-1);
    if (outer?.steps.every((step, i) => step === here[i]! * size)) {
      outer.size *= size;
      outer.steps = here;
    } else {
      axes.push({ size, steps: here });
    }
  }
  return axes.length > 0 ? axes : [{ size: 1, steps: steps.map(() => 0) }];
}
