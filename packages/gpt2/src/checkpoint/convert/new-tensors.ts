import { type Encoding, encodings } from "@gpt2-ts/tensor";
import type { LazyTensorData, TensorInput } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";
import { weightsFor } from "../../model/weights.ts";
import { type ConvertedDtype, scalesName, scalesShape } from "../quantization.ts";
import type { StoredWeights } from "../stored-weights.ts";
import { elementsOf } from "../tensors.ts";
import { isFloat } from "./floats.ts";
import { encodeMatrix, quantizeMatrix } from "./matrix.ts";
import type { ConvertOptions } from "./options.ts";

/**
 * The tensors of the new checkpoint, each computed when it is written.
 *
 * @param dtype what the matrices are kept in; undefined: every tensor as it is stored
 */
export async function newTensors(
  weights: StoredWeights,
  dtype: ConvertedDtype | undefined,
  { onProgress, signal }: Pick<ConvertOptions, "onProgress" | "signal">,
): Promise<Map<string, TensorInput<LazyTensorData>>> {
  let [done, total] = [0, 0];
  const tensors = new Map<string, TensorInput<LazyTensorData>>();
  const add = (
    name: string,
    { dtype, shape, data }: TensorInput<() => Promise<NodeJS.TypedArray>>,
    bytes: number,
  ): void => {
    total += elementsOf(shape) * bytes;
    const make = async (): Promise<NodeJS.TypedArray> => {
      const array = await data();
      done += array.byteLength;
      onProgress?.({ done, total });
      return array;
    };
    tensors.set(name, { dtype, shape, data: make });
  };
  if (dtype === undefined) {
    for (const { name, shape } of weightsFor(weights.config)) {
      const { dtype, byteLength } = await weights.stored(name);
      if (!isFloat(dtype)) {
        throw new ModelFormatError(weights.path, `tensor ${name} is ${dtype}; expected floats`, name);
      }
      add(name, { dtype, shape, data: () => weights.read(name) }, byteLength / elementsOf(shape));
    }
    return tensors;
  }
  const { file, integers: scheme }: Encoding = encodings[dtype];
  const { dtype: fileDtype, encode } = file!;
  for (const weight of weightsFor(weights.config)) {
    const { name, kind, shape } = weight;
    if (kind === "vector") {
      const data = async () => {
        const values = new Float32Array(elementsOf(shape));
        await weights.readFloats(weight, values);
        return values;
      };
      add(name, { dtype: "F32", shape, data }, 4);
      continue;
    }
    const matrix = { weights, weight, signal };
    if (encode) add(name, { dtype: fileDtype, shape, data: () => encodeMatrix(matrix, encode) }, 2);
    if (scheme) {
      // Quantized twice: scales and integers lie in different places of the file, and neither of all matrices should be in memory.
      const scales = async () => (await quantizeMatrix(matrix, scheme)).scales;
      const integers = async () => (await quantizeMatrix(matrix, scheme)).integers;
      add(scalesName(name), { dtype: "F32", shape: scalesShape(weight, scheme), data: scales }, 4);
      add(name, { dtype: fileDtype, shape, data: integers }, 1);
    }
  }
  return tensors;
}
