// What networks are trained with, and layers that are made of other operations.
import type { DType } from "../dtype.ts";
import { ShapeMismatchError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { expectDType, expectShape, expectTensor } from "../ops/checks.ts";
import { checkChoice, checkOptionNames, OptionError, showValue } from "../options.ts";
import { showShape } from "../shape.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";
import type { Shape } from "../types/shape-types.ts";
import { onesLike, zeros } from "./creation.ts";
import { linear } from "./nn.ts";
import { operand } from "./operand.ts";
import { pad } from "./rearranging.ts";
import { scatter } from "./rows.ts";
import { unfold } from "./views.ts";

/**
 * A row for each id: 1 at the id, 0 elsewhere: `[...]` → `[..., classes]`. float32, to be computed with at once, unless told otherwise
 * (PyTorch's is int64). Throws {@link ShapeMismatchError} for an id outside 0..classes-1.
 */
export function oneHot<S extends Shape, const N extends number, D extends DType = "float32">(
  ids: Tensor<S, "int32">,
  classes: N,
  options: { readonly dtype?: D } = {},
): Tensor<[...S, N], D> {
  checkOptionNames(options, ["dtype"], "oneHot");
  const given: Tensor<Shape, "int32"> = operand("oneHot", ids as Tensor<Shape, "int32">, "int32");
  return tidy(() => {
    const { dtype = "float32" as D } = options;
    const none = zeros([...given.shape, classes], { dtype, device: given.device });
    const places = given.unsqueeze(-1);
    return scatter(none, -1, places, onesLike(places).cast(dtype));
  }) as unknown as Tensor<[...S, N], D>;
}

/** What {@link crossEntropy} makes of the rows' losses. */
export interface CrossEntropyOptions<R extends "mean" | "sum" | "none"> {
  /** Default: their mean. */
  readonly reduction?: R;
}

/**
 * −log softmax(logits)[target] of each row of the last axis: `[..., C]` and targets `[...]` from 0 to C - 1, of which the mean is taken.
 * Classes come last, also where PyTorch has them second.
 */
export function crossEntropy<I extends Shape, R extends "mean" | "sum" | "none" = "mean">(
  logits: Tensor<[...I, number]>,
  targets: Tensor<I, "int32">,
  options: CrossEntropyOptions<R> = {},
): Tensor<R extends "none" ? I : []> {
  checkOptionNames(options, ["reduction"], "crossEntropy");
  const { reduction = "mean" } = options;
  checkChoice("reduction", reduction, ["mean", "sum", "none"]);
  const given: Tensor = operand("crossEntropy", logits as unknown as Tensor<Shape>, "float32");
  expectDType("crossEntropy", "targets", targets, "int32");
  expectShape("crossEntropy", "targets", targets, given.shape.slice(0, -1));
  const classes = targets as Tensor<Shape, "int32">;
  return tidy(() => {
    const chosen = given.logSoftmax(-1 as number).gather(-1, classes.unsqueeze(-1));
    const losses = chosen.squeeze(-1 as number).neg();
    return reduction === "none" ? losses : reduction === "sum" ? losses.sum() : losses.mean();
  }) as unknown as Tensor<R extends "none" ? I : []>;
}

/** How {@link conv1d} moves along. */
export interface Conv1dOptions {
  /** Places from one window to the next. Default: 1. */
  readonly stride?: number;
  /** Zeros on both sides. Default: 0. */
  readonly padding?: number;
  /** Places from one element of a window to the next. Default: 1. */
  readonly dilation?: number;
}

/**
 * Cross-correlation along the last axis: x `[N, I, L]` or `[I, L]`, weight `[O, I, K]`, bias `[O]` → `[N, O, L']` or `[O, L']`, with
 * L' = ⌊(L + 2 padding − dilation (K − 1) − 1) / stride⌋ + 1, as `torch.nn.functional.conv1d` has it (without groups).
 */
export function conv1d<S extends Shape, O extends number>(
  x: Tensor<S>,
  weight: Tensor<[O, number, number]>,
  bias?: Tensor<[NoInfer<O>]>,
  options: Conv1dOptions = {},
): Tensor<S extends readonly [infer N extends number, number, number] ? [N, O, number] : [O, number]> {
  checkOptionNames(options, ["stride", "padding", "dilation"], "conv1d");
  const { stride = 1, padding = 0, dilation = 1 } = options;
  for (const [name, value, least] of [
    ["stride", stride, 1],
    ["padding", padding, 0],
    ["dilation", dilation, 1],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new OptionError(name, `expected a whole number from ${least}, got ${showValue(value)}`);
  }
  const given: Tensor = operand("conv1d", x as Tensor<Shape>, "float32");
  const kernel: Tensor = operand("conv1d", weight as unknown as Tensor<Shape>, "float32");
  if (bias !== undefined) expectTensor("conv1d", "bias", bias);
  const [O, I, K] = kernel.shape as readonly [number, number, number];
  if (kernel.rank !== 3 || (given.rank !== 2 && given.rank !== 3) || given.shape.at(-2) !== I) {
    throw new ShapeMismatchError(
      "conv1d",
      `expected x [N, I, L] or [I, L] and weight [O, I, K], got ${showShape(given.shape)} and ${showShape(kernel.shape)}`,
    );
  }
  return tidy(() => {
    const batch = given.rank === 2 ? given.unsqueeze(0) : given;
    const padded = pad(batch, [
      [0, 0],
      [0, 0],
      [padding, padding],
    ] as const);
    const windows = unfold(padded, 2 as number, dilation * (K - 1) + 1, stride) as AnyTensor; // [N, I, L', span]
    const taps = windows.slice(3 as number, 0, undefined, dilation); // [N, I, L', K]
    const [N, , L] = taps.shape as readonly [number, number, number];
    const rows = taps.permute([0, 2, 1, 3]).reshape([N * L, I * K]) as Tensor;
    const columns = kernel.reshape([O, I * K]).transpose(0 as number, 1 as number);
    const out = linear(rows, columns, bias as Tensor | undefined)
      .reshape([N, L, O])
      .permute([0, 2, 1])
      .contiguous();
    return given.rank === 2 ? out.squeeze(0 as number) : out;
  }) as unknown as Tensor<S extends readonly [infer N extends number, number, number] ? [N, O, number] : [O, number]>;
}
