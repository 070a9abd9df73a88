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

/** The tensors that parts are of. If they break off, those that there are by then are disposed of. */
export async function tensorsOf(next: () => Promise<IteratorResult<unknown, unknown>>): Promise<Tensor[]> {
  const { fillAsync } = await import("@gpt2-ts/tensor"); // pages that need no tensors do without the library
  const tensors: Tensor[] = [];
  try {
    for (let step = await next(); !step.done; step = await next()) {
      const { shape } = step.value as { readonly shape: readonly number[] };
      const write = async (target: Float32Array): Promise<void> => {
        for (let at = 0; at < target.length; ) {
          const { value } = (await next()) as { readonly value: { readonly elements: Float32Array } };
          target.set(value.elements, at);
          at += value.elements.length;
        }
      };
      tensors.push(await fillAsync(shape, write, { device: "reference" }));
    }
    return tensors;
  } catch (error) {
    for (const tensor of tensors) tensor.dispose();
    throw error;
  }
}
