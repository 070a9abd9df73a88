import { std, type Tensor } from "@gpt2-ts/tensor";

/** Columns with mean 0 and standard deviation 1 (NumPy's, which divides by n). */
export function standardized<R extends number, C extends number>(x: Tensor<[R, C]>): Tensor<[R, C]> {
  return x.sub(x.mean(0)).div(std(x, 0, false, { correction: 0 }));
}
