import { vectorBytes } from "../../../encodings/vectors.ts";
import type { EncodeVectorsParams } from "../../reference/vectors.ts";
import { VECTORS_BF16, VECTORS_INT8 } from "../abi.ts";
import { isPacked } from "../storage.ts";
import { headsOf } from "./heads.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { ROW_CHUNK } from "./rows.ts";

/** What the kernels call the encodings. */
export const VECTORS = { bf16: VECTORS_BF16, int8: VECTORS_INT8 } as const;

const encodeVectors: WasmKernel<EncodeVectorsParams> = (runtime, [x], { encoding }, [out]) => {
  if (isPacked(x!)) return "packed matrix";
  const [T, H, D] = x!.shape as readonly [number, number, number];
  if (T * H * D === 0) return undefined;
  const { address, row, head } = headsOf(runtime, x!);
  const bytes = vectorBytes(encoding, D);
  const chunks = Math.min(T * H, runtime.chunks(T * H * D, ROW_CHUNK));
  const ints = [VECTORS[encoding], address, row, head, T, H, D, runtime.pointer(out!), bytes];
  runtime.run("encodeVectorsJob", chunks, ints);
  return undefined;
};

export const vectorKernels: WasmKernels = { encodeVectors };
