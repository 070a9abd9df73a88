import { byteSize, type DType } from "../../../dtype.ts";
import { sizeOf } from "../../../shape.ts";
import * as abi from "../abi.ts";
import type { Job, WasmRuntime } from "../runtime.ts";
import { isPacked, type WasmView } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

/** Elements that are worth a chunk of their own: of sums and the like, which wait for memory, and of functions. */
const CHEAP_CHUNK = 32_768;
const COSTLY_CHUNK = 4096;

/** Numbers of an operation on floats and on ints. */
interface Numbers {
  readonly float32?: number;
  readonly int32?: number;
}

const unaryNumbers: Readonly<Record<string, Numbers>> = {
  neg: { float32: abi.UNARY_NEG, int32: abi.UNARY_NEG_INT },
  abs: { float32: abi.UNARY_ABS, int32: abi.UNARY_ABS_INT },
  sign: { float32: abi.UNARY_SIGN },
  square: { float32: abi.UNARY_SQUARE, int32: abi.UNARY_SQUARE_INT },
  sqrt: { float32: abi.UNARY_SQRT },
  rsqrt: { float32: abi.UNARY_RSQRT },
  reciprocal: { float32: abi.UNARY_RECIPROCAL },
  exp: { float32: abi.UNARY_EXP },
  expm1: { float32: abi.UNARY_EXPM1 },
  log: { float32: abi.UNARY_LOG },
  log1p: { float32: abi.UNARY_LOG1P },
  tanh: { float32: abi.UNARY_TANH },
  sigmoid: { float32: abi.UNARY_SIGMOID },
  erf: { float32: abi.UNARY_ERF },
  relu: { float32: abi.UNARY_RELU },
  gelu: { float32: abi.UNARY_GELU },
  geluExact: { float32: abi.UNARY_GELU_EXACT },
  silu: { float32: abi.UNARY_SILU },
  quickGelu: { float32: abi.UNARY_QUICK_GELU },
  floor: { float32: abi.UNARY_FLOOR },
  ceil: { float32: abi.UNARY_CEIL },
  round: { float32: abi.UNARY_ROUND },
};
/** Of the casts between sizes; those between words are unary functions. */
const casts: Readonly<Record<string, number>> = {
  "uint8 to float32": abi.CAST_BYTE_TO_FLOAT,
  "bool to float32": abi.CAST_BYTE_TO_FLOAT,
  "uint8 to int32": abi.CAST_BYTE_TO_INT,
  "bool to int32": abi.CAST_BYTE_TO_INT,
  "float32 to bool": abi.CAST_FLOAT_TO_BOOL,
  "int32 to bool": abi.CAST_INT_TO_BOOL,
  "uint8 to bool": abi.CAST_BYTE_TO_BOOL,
  "float32 to uint8": abi.CAST_FLOAT_TO_BYTE,
  "int32 to uint8": abi.CAST_INT_TO_BYTE,
};

const binaryNumbers: Readonly<Record<string, Numbers>> = {
  add: { float32: abi.BINARY_ADD, int32: abi.BINARY_ADD_INT },
  sub: { float32: abi.BINARY_SUB, int32: abi.BINARY_SUB_INT },
  mul: { float32: abi.BINARY_MUL, int32: abi.BINARY_MUL_INT },
  div: { float32: abi.BINARY_DIV },
  maximum: { float32: abi.BINARY_MAXIMUM, int32: abi.BINARY_MAXIMUM_INT },
  minimum: { float32: abi.BINARY_MINIMUM, int32: abi.BINARY_MINIMUM_INT },
};

/** The operation and whether its operands change places: a > b is b < a. */
const comparisons: Readonly<Record<string, Required<Numbers> & { readonly swap: boolean }>> = {
  eq: { float32: abi.COMPARE_EQ, int32: abi.COMPARE_EQ_INT, swap: false },
  ne: { float32: abi.COMPARE_NE, int32: abi.COMPARE_NE_INT, swap: false },
  lt: { float32: abi.COMPARE_LT, int32: abi.COMPARE_LT_INT, swap: false },
  le: { float32: abi.COMPARE_LE, int32: abi.COMPARE_LE_INT, swap: false },
  gt: { float32: abi.COMPARE_LT, int32: abi.COMPARE_LT_INT, swap: true },
  ge: { float32: abi.COMPARE_LE, int32: abi.COMPARE_LE_INT, swap: true },
};

const byteNumbers: Readonly<Record<string, number>> = {
  logicalAnd: abi.BYTES_AND,
  logicalOr: abi.BYTES_OR,
  ne: abi.BYTES_NE,
  eq: abi.BYTES_EQ,
  logicalNot: abi.BYTES_NOT,
};

const cast: WasmKernel<{ readonly dtype: DType }> = (runtime, [x], { dtype }, [out]) => {
  if (isPacked(x!)) return "packed matrix";
  const from = x!.dtype;
  const which = casts[`${from} to ${dtype}`];
  if (which !== undefined) return elementwise(runtime, "castJob", which, [x!], out!);
  if (from === "int32" && dtype === "float32")
    return elementwise(runtime, "unaryJob", abi.UNARY_INT_TO_FLOAT, [x!], out!);
  if (from === "float32" && dtype === "int32")
    return elementwise(runtime, "unaryJob", abi.UNARY_FLOAT_TO_INT, [x!], out!);
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
