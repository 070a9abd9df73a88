import { sizeOf } from "../../../shape.ts";
import { allBelow } from "../overrides/indices.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { rowsOf } from "../overrides/rows.ts";
import { isPacked } from "../storage.ts";
import { runTraining } from "./run.ts";

/** Elements that are worth a chunk of their own, and columns at least. */
const CHUNK = 16_384;
const COLUMNS = 64;

export const embeddingBackward: WasmKernel<undefined> = (runtime, [ids, dy], _params, [dTable]) => {
  if (isPacked(dy!)) return "packed matrix";
  const [V, C] = dTable!.shape as readonly [number, number];
  const [rowStep, columnStep] = dTable!.strides as readonly [number, number];
  const count = sizeOf(ids!.shape);
  if (count * C === 0) return undefined;
  const idsAddress = runtime.contiguous(ids!);
  if (!allBelow(runtime, idsAddress, count, V)) return "id out of range";
  const { address, step } = rowsOf(runtime, dy!);
  const chunks = Math.min(Math.ceil(C / COLUMNS), runtime.chunks(count * C, CHUNK));
  const table = [runtime.pointer(dTable!), rowStep * 4, columnStep * 4];
  runTraining(runtime, "embeddingBackwardJob", chunks, [idsAddress, address, step, ...table, count, C]);
  return undefined;
};
