import { encodings } from "@gpt2-ts/tensor";
import type { LazyTensorData, TensorInputs } from "safetensors-ts";
import type { WarningListener } from "../../warning.ts";
import { loadConfig } from "../load.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { CONVERTED_DTYPES, type ConvertedDtype, convertedTo, metadataFor } from "../quantization.ts";
import { type ModelFiles, modelSource } from "../source/index.ts";
import { StoredWeights } from "../stored-weights.ts";
import { newTensors } from "./new-tensors.ts";

/** A checkpoint to be written. */
export interface ConvertedCheckpoint extends AsyncDisposable {
  readonly tensors: TensorInputs<LazyTensorData>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How a page converts the models that it keeps. */
export interface Conversion {
  readonly dtype: ConvertedDtype;
  /** How large a matrix is in a file of this dtype, as a share of its float32. */
  readonly share: number;
  /** Whether a model's checkpoint says that it was converted to this dtype. */
  isDone(files: ModelFiles): Promise<boolean>;
  /** The new checkpoint, whose tensors are made of the old one when they are asked for. */
  checkpoint(files: ModelFiles, onWarning: WarningListener, signal?: AbortSignal): Promise<ConvertedCheckpoint>;
}

/** The conversion to a dtype; undefined for one that files do not hold. */
export function conversionTo(asked: string | undefined): Conversion | undefined {
  const dtype = CONVERTED_DTYPES.find((name) => name === asked);
  if (dtype === undefined) return undefined;
  const side = 64;
  return {
    dtype,
    share: encodings[dtype].deviceBytes(side, side) / (4 * side * side),
    async isDone(files) {
      const { path, tensors } = await openCheckpoint(await modelSource(files), {});
      try {
        return convertedTo(tensors.metadata, path) === dtype;
      } finally {
        await tensors.close();
      }
    },
    async checkpoint(files, onWarning, signal) {
      const source = await modelSource(files);
      const original = await openCheckpoint(source, { signal });
      const close = () => original.tensors.close();
      try {
        const weights = await StoredWeights.of(original, await loadConfig(source), onWarning);
        const tensors = await newTensors(weights, dtype, { signal });
        return { tensors, metadata: metadataFor(dtype), [Symbol.asyncDispose]: close };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}
