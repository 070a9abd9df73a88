import type { Kernel } from "../../backend.ts";

export interface MatmulIntoParams {
  /** Whether the product is added to what is there. */
  readonly accumulate: boolean;
}

/** out[i, j] (+)= Σₖ a[i, k]·b[k, j]: a [M, K], b [K, N], out [M, N], which may have any strides. */
export const matmulIntoKernel: Kernel<MatmulIntoParams> = ([a, b], { accumulate }, [out]) => {
  const [M, N] = out!.shape as readonly [number, number];
  const K = a!.shape[1]!;
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      let [left, right] = [a!.offset + i * a!.strides[0]!, b!.offset + j * b!.strides[1]!];
      let sum = 0;
      for (let k = 0; k < K; k++, left += a!.strides[1]!, right += b!.strides[0]!)
        sum += a!.data[left]! * b!.data[right]!;
      const at = out!.offset + i * out!.strides[0]! + j * out!.strides[1]!;
      out!.data[at] = accumulate ? out!.data[at]! + sum : sum;
    }
  }
};
