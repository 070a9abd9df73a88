import { byteSize } from "../../../dtype.ts";
import { sizeOf } from "../../../shape.ts";
import { isPacked } from "../storage.ts";
import { allBelow } from "./indices.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { rowsOf } from "./rows.ts";

/** Elements that are worth a chunk of their own. */
const CHUNK = 16_384;

const gather: WasmKernel<undefined> = (runtime, [x, indices], _params, [out]) => {
  if (isPacked(x!)) return "packed matrix";
  if (byteSize(x!.dtype) !== 4) return x!.dtype;
  const chosen = sizeOf(indices!.shape);
  if (chosen === 0) return undefined;
  const address = runtime.contiguous(indices!);
  const rows = rowsOf(runtime, x!);
  if (!allBelow(runtime, address, chosen, rows.length)) return "index out of range";
  const chunks = Math.min(rows.count, runtime.chunks(chosen, CHUNK));
  const ints = [rows.address, rows.step, address, runtime.pointer(out!), rows.count, chosen / rows.count];
  runtime.run("gatherJob", chunks, ints);
  return undefined;
};

export const indexingKernels: WasmKernels = { gather };
