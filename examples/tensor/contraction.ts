import { einsum, type Tensor } from "@gpt2-ts/tensor";

/** Σ over j and k of a[i, j, k] · b[k, j, l]. */
export function contraction(a: Tensor<[2, 3, 4]>, b: Tensor<[4, 3, 5]>): Tensor<[2, 5]> {
  return einsum("ijk,kjl->il", a, b);
}
