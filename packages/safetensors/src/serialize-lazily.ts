import { layOut, type MetadataInput, type TensorData, type TensorInputs, tensorBytes } from "./serialize.ts";

/** A tensor's data, or a function that makes it when it is its turn, so that not all of it exists at once. */
export type LazyTensorData = TensorData | (() => TensorData | Promise<TensorData>);

/** A safetensors file that is made while it is written. */
export interface LazyFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /** The file from its beginning to its end: the header, then each tensor. They can be gone through once. */
  readonly pieces: AsyncGenerator<Uint8Array>;
}

/**
 * The bytes of `serialize` piece by piece, for files larger than memory: to write where there is no `writeFile`, or to send.
 *
 * @throws SafetensorsError those of `serialize`; what is wrong with a tensor's data when it is its turn
 */
export function serializeLazily(tensors: TensorInputs<LazyTensorData>, metadata?: MetadataInput): LazyFile {
  const layout = layOut(tensors, metadata);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield layout.head;
    for (const tensor of layout.tensors) {
      const { data } = tensor;
      yield tensorBytes(tensor, typeof data === "function" ? await data() : data);
    }
  }
  return { size: layout.size, pieces: pieces() };
}
