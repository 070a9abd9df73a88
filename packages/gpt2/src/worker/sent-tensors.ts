import type { Tensor } from "@gpt2-ts/tensor";

/** What is sent of tensors: the shape of each, then its elements in pieces. */
export type TensorPart = { readonly shape: readonly number[] } | { readonly elements: Float32Array<ArrayBuffer> };

/** Elements of a piece: 4 MiB, which are copied in about a millisecond. */
const PIECE = 2 ** 20;

/** Tensors, one after the other. They are disposed of at the end, or when their reader wants no more. */
export async function* tensorParts(tensors: readonly Tensor[]): AsyncGenerator<TensorPart, void> {
  try {
    for (const tensor of tensors) {
      yield { shape: tensor.shape };
      using flat = tensor.reshape([tensor.size]);
      for (let start = 0; start < tensor.size; start += PIECE) {
        using piece = flat.slice(0, start, Math.min(start + PIECE, tensor.size));
        yield { elements: (await piece.data()) as Float32Array<ArrayBuffer> };
      }
    }
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}
