/**
 * Every function of a tensor as a method too, after `import "@gpt2-ts/tensor/methods"`: `x.std(0)` is `std(x, 0)`. The class itself has
 * only what GPT-2 needs and what costs nothing beside it, because a class goes into a page's bundle whole; functions go one by one.
 * Without the import these methods do not compile.
 */
import type { DType } from "../dtype.ts";
import type { Closeness } from "../functional/elementwise.ts";
import type { Histogram, HistogramOptions } from "../functional/histogram.ts";
import type { Unique } from "../functional/selection.ts";
import type { Arithmetic, CheckDTypes, NumberFor } from "../promotion.ts";
import { type Operand, Tensor } from "../tensor.ts";
import type { CheckBroadcast, Elementwise, Shape } from "../types/shape-types.ts";
import { method, methods, spelt } from "./table.ts";

/** What `import "@gpt2-ts/tensor/methods"` gives to tensors, but for what {@link Tensor} spells out. */
export type Methods = typeof methods;

declare module "../tensor.ts" {
  interface Tensor<S extends Shape = Shape, D extends DType = "float32"> extends Methods {
    allClose<A extends Shape, B extends Shape>(
      this: Tensor<A>,
      other: Tensor<B> & CheckBroadcast<A, B>,
      options?: Closeness,
    ): Promise<boolean>;
    histogram<const N extends number>(this: Tensor<Shape>, bins: N, options?: HistogramOptions): Histogram<N>;
    isClose<A extends Shape, B extends Shape>(
      this: Tensor<A>,
      other: Tensor<B> & CheckBroadcast<A, B>,
      options?: Closeness,
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
