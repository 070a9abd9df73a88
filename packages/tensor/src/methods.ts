/**
 * Every function of a tensor as a method too, after `import "@gpt2-ts/tensor/methods"`: `x.std(0)` is `std(x, 0)`. The class itself has
 * only what GPT-2 needs and what costs nothing beside it, because a class goes into a page's bundle whole; functions go one by one.
 * Without the import these methods do not compile.
 */
import type { DType } from "./dtype.ts";
import { DisposedError } from "./errors.ts";
import { mod } from "./functional/arithmetic.ts";
import { fullLike, onesLike, zerosLike } from "./functional/creation.ts";
import * as elementwise from "./functional/elementwise.ts";
import { type Histogram, type HistogramOptions, histogram } from "./functional/histogram.ts";
import { conv1d, crossEntropy, oneHot } from "./functional/learning.ts";
import { dot, outer } from "./functional/products.ts";
import { multinomial } from "./functional/random.ts";
import * as rearranging from "./functional/rearranging.ts";
import * as rows from "./functional/rows.ts";
import { maskedSelect, nonzero, type Unique, unique } from "./functional/selection.ts";
import { median, norm, std, variance } from "./functional/statistics.ts";
import { unfold } from "./functional/views.ts";
import type { Arithmetic, CheckDTypes, NumberFor } from "./promotion.ts";
import { type Operand, Tensor } from "./tensor.ts";
import type { CheckBroadcast, Elementwise, Shape } from "./types/shape-types.ts";

/** A function of a tensor as a method, generic as it is: its first parameter becomes `this`. */
function method<T, Rest extends unknown[], Result>(
  f: (x: T, ...rest: Rest) => Result,
): (this: T, ...rest: Rest) => Result {
  return function (this: T, ...rest) {
    if ((this as Tensor).disposed) throw new DisposedError();
    return f(this, ...rest);
  };
}

const methods = {
  all: method(rows.all),
  any: method(rows.any),
  ceil: method(elementwise.ceil),
  clamp: method(elementwise.clamp),
  conv1d: method(conv1d),
  cos: method(elementwise.cos),
  crossEntropy: method(crossEntropy),
  cumsum: method(rows.cumsum),
  diag: method(rearranging.diag),
  diagonal: method(rearranging.diagonal),
  dot: method(dot),
  erf: method(elementwise.erf),
  expm1: method(elementwise.expm1),
  flip: method(rearranging.flip),
  floor: method(elementwise.floor),
  fullLike: method(fullLike),
  indexSelect: method(rearranging.indexSelect),
  isFinite: method(elementwise.isFinite),
  isNaN: method(elementwise.isNaN),
  log1p: method(elementwise.log1p),
  log2: method(elementwise.log2),
  logSumExp: method(rows.logSumExp),
  logicalNot: method(elementwise.logicalNot),
  maskedFill: method(rows.maskedFill),
  median: method(median),
  multinomial: method(multinomial),
  nonzero: method(nonzero),
  norm: method(norm),
  oneHot: method(oneHot),
  onesLike: method(onesLike),
  outer: method(outer),
  pad: method(rearranging.pad),
  reciprocal: method(elementwise.reciprocal),
  repeatInterleave: method(rearranging.repeatInterleave),
  roll: method(rearranging.roll),
  round: method(elementwise.round),
  rsqrt: method(elementwise.rsqrt),
  scatter: method(rows.scatter),
  scatterAdd: method(rows.scatterAdd),
  sign: method(elementwise.sign),
  sin: method(elementwise.sin),
  sort: method(rows.sort),
  std: method(std),
  tan: method(elementwise.tan),
  tile: method(rearranging.tile),
  topK: method(rows.topK),
  tril: method(rows.tril),
  triu: method(rows.triu),
  unfold: method(unfold),
  var: method(variance),
  zerosLike: method(zerosLike),
};

/** What `import "@gpt2-ts/tensor/methods"` gives to tensors, but for what {@link Tensor} spells out. */
export type Methods = typeof methods;

// Spelt out, because the compiler compares tensors to infer these, and would have to know the methods that it is inferring.
const spelt = {
  allClose: elementwise.allClose,
  histogram,
  isClose: elementwise.isClose,
  logicalAnd: elementwise.logicalAnd,
  logicalOr: elementwise.logicalOr,
  maskedSelect,
  mod,
  truncDiv: elementwise.truncDiv,
  unique,
};

declare module "./tensor.ts" {
  interface Tensor<S extends Shape = Shape, D extends DType = "float32"> extends Methods {
    allClose<A extends Shape, B extends Shape>(
      this: Tensor<A>,
      other: Tensor<B> & CheckBroadcast<A, B>,
      options?: elementwise.Closeness,
    ): Promise<boolean>;
    histogram<const N extends number>(this: Tensor<Shape>, bins: N, options?: HistogramOptions): Histogram<N>;
    isClose<A extends Shape, B extends Shape>(
      this: Tensor<A>,
      other: Tensor<B> & CheckBroadcast<A, B>,
      options?: elementwise.Closeness,
    ): Tensor<Elementwise<A, B>, "bool">;
    logicalAnd<A extends Shape, B extends Shape>(
      this: Tensor<A, "bool">,
      other: Tensor<B, "bool"> & CheckBroadcast<A, B>,
    ): Tensor<Elementwise<A, B>, "bool">;
    logicalOr<A extends Shape, B extends Shape>(
      this: Tensor<A, "bool">,
      other: Tensor<B, "bool"> & CheckBroadcast<A, B>,
    ): Tensor<Elementwise<A, B>, "bool">;
    maskedSelect<A extends Shape, F extends DType, M extends Shape>(
      this: Tensor<A, F>,
      mask: Tensor<M, "bool"> & CheckBroadcast<A, M>,
    ): Promise<Tensor<[number], F>>;
    mod<A extends Shape, F extends DType, B extends Shape = [], E extends DType = F>(
      this: Tensor<A, F>,
      other: Operand<A, B, E, CheckDTypes<Arithmetic<F, E>, F, E>> | NumberFor<F>,
    ): Tensor<Elementwise<A, B>, Arithmetic<F, E>>;
    truncDiv<
      A extends Shape,
      F extends Exclude<DType, "float32">,
      B extends Shape = [],
      E extends Exclude<DType, "float32"> = F,
    >(
      this: Tensor<A, F>,
      divisor: Operand<A, B, E, CheckDTypes<Arithmetic<F, E>, F, E>> | number,
    ): Tensor<Elementwise<A, B>, "int32">;
    unique<A extends Shape, F extends DType>(this: Tensor<A, F>): Promise<Unique<A, F>>;
  }
}

for (const [name, f] of Object.entries(spelt)) install(name, method(f as (x: Tensor, ...rest: unknown[]) => unknown));
for (const [name, f] of Object.entries(methods)) install(name, f);

function install(name: string, value: unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}
