import { DisposedError } from "../errors.ts";
import { mod } from "../functional/arithmetic.ts";
import { fullLike, onesLike, zerosLike } from "../functional/creation.ts";
import * as elementwise from "../functional/elementwise.ts";
import { histogram } from "../functional/histogram.ts";
import { conv1d, crossEntropy, oneHot } from "../functional/learning.ts";
import { dot, outer } from "../functional/products.ts";
import { categorical, multinomial } from "../functional/random.ts";
import * as rearranging from "../functional/rearranging.ts";
import * as rows from "../functional/rows.ts";
import { maskedSelect, nonzero, unique } from "../functional/selection.ts";
import { median, norm, std, variance } from "../functional/statistics.ts";
import { unfold } from "../functional/views.ts";
import type { Tensor } from "../tensor.ts";

/** A function of a tensor as a method, generic as it is: its first parameter becomes `this`. */
export function method<T, Rest extends unknown[], Result>(
  f: (x: T, ...rest: Rest) => Result,
): (this: T, ...rest: Rest) => Result {
  return function (this: T, ...rest) {
    if ((this as Tensor).disposed) throw new DisposedError();
    return f(this, ...rest);
  };
}

/** The functions that become methods with the types that they have. */
export const methods = {
  all: method(rows.all),
  any: method(rows.any),
  categorical: method(categorical),
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

/**
 * Those whose types `index.ts` spells out: to infer them the compiler compares tensors, and would have to know the methods that it is
 * about to infer.
 */
export const spelt = {
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
