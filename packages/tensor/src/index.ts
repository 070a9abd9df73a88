/// <reference lib="esnext.disposable" preserve="true" />

export {
  type GradOptions,
  grad,
  noGrad,
  type ValueAndGrad,
  valueAndGrad,
} from "./autograd/value-and-grad.ts";
export type { GradientsOf } from "./autograd/weights.ts";
export type {
  Backend,
  CompiledOps,
  CpuView,
  DeviceName,
  FallbackLog,
  Kernel,
  MatrixPacker,
  Op,
  PackedMatrix,
  Spec,
  Storage,
  View,
} from "./backends/backend.ts";
export { createWasmBackend, type WasmBackend, type WasmInfo, type WasmOptions } from "./backends/wasm/index.ts";
export { backendOf, type DeviceChoice, defaultDevice, device, setDefaultDevice } from "./device.ts";
export type { DataOf, DType } from "./dtype.ts";
export {
  type ArithmeticKind,
  type Encoding,
  encodings,
  type FileFormat,
  type IntegerScheme,
  type MatrixEncoding,
} from "./encodings/index.ts";
export { vectorBytes } from "./encodings/vectors.ts";
export { DeviceError, DisposedError, DTypeError, GradientError, ShapeMismatchError } from "./errors.ts";
export { yieldToEventLoop } from "./event-loop.ts";
export * from "./functional/arithmetic.ts";
export * from "./functional/creation.ts";
export * from "./functional/elementwise.ts";
export * from "./functional/histogram.ts";
export * from "./functional/learning.ts";
export * from "./functional/nn.ts";
export * from "./functional/packing.ts";
export * from "./functional/products.ts";
export * from "./functional/random.ts";
export * from "./functional/rearranging.ts";
export * from "./functional/reductions.ts";
export * from "./functional/rows.ts";
export * from "./functional/selection.ts";
export * from "./functional/statistics.ts";
export * from "./functional/views.ts";
export { type Disposable, keep, tidy } from "./memory.ts";
export { type OpCall, type OpListener, observe, startObserving } from "./observe.ts";
export { AdamW, type AdamWOptions, type AdamWStep } from "./optim/adamw.ts";
export { clipGradNorm, clipScale, gradientNorm } from "./optim/clip.ts";
export { type Schedule, type WarmupCosineOptions, warmupCosine } from "./optim/schedules.ts";
export { SGD, type SGDOptions } from "./optim/sgd.ts";
export { checkChoice, checkOptionNames, OptionError, showValue } from "./options.ts";
export { type NameOf, type OpTime, Profiler } from "./profile/profiler.ts";
export { bytesOf, isProduct, type RanOp, TO_JAVASCRIPT, type Work, workOf } from "./profile/work.ts";
export {
  type Arithmetic,
  type CheckDTypes,
  type Chosen,
  type DTypeRefusal,
  type NumberFor,
  type Numeric,
  type Promote,
  promotions,
  type Summed,
} from "./promotion.ts";
export { Generator } from "./random.ts";
export { type AnyTensor, type Operand, Tensor } from "./tensor.ts";
export type {
  At,
  Axes,
  Concat,
  Permute,
  Reduce,
  ReplaceAxis,
  Reversed,
  Stack,
  Transpose,
  Unsqueeze,
} from "./types/axes.ts";
export type { Einsum } from "./types/einsum.ts";
export type {
  Expand,
  Flatten,
  NestedArray,
  NestedShape,
  Pad,
  PadWidths,
  Reshape,
  Tile,
} from "./types/reshape.ts";
export {
  type Broadcast,
  type Check,
  type CheckBroadcast,
  type Dim,
  dim,
  type Elementwise,
  type Literal,
  type MatMul,
  type Named,
  type Ok,
  type Shape,
  type ShapeError,
  type Show,
  type ShowShape,
} from "./types/shape-types.ts";
export type { ViewHandle } from "./view-handle.ts";
