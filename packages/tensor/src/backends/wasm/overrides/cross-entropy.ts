import { TILE_ROWS } from "../abi.ts";
import { isPacked } from "../storage.ts";
import { allBelow } from "./indices.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { matrixAt, panelsOf } from "./matmul.ts";
import { ROW_CHUNK } from "./rows.ts";

/** Logits that exist at once (16 MiB): enough rows of a large vocabulary that a panel of the weight is not read again too soon. */
const LOGITS_AT_ONCE = 2 ** 22;

const targetLogProbs: WasmKernel<undefined> = (runtime, [x, w, targets], _params, [logProbs, logSumExp]) => {
  if (isPacked(x!)) return "packed left operand";
  const [rows, K] = x!.shape as [number, number];
  const V = w!.shape[1]!;
  if (rows === 0) return undefined;
  if (K === 0) return "no terms to sum";
  const ids = runtime.contiguous(targets!);
  if (!allBelow(runtime, ids, rows, V)) return "target out of range";
  const panels = panelsOf(runtime, w!);
  if (!panels) return "part of a packed matrix";
  panels.fill(0);
  const { encoding, pointer } = panels;
  const atOnce = rowsAtOnce(rows, V);
  const room = encoding.roomForRows(runtime, atOnce, K);
  const logits = runtime.scratch(atOnce * V * 4);
  const a = matrixAt(runtime, x!, 0);
  for (let first = 0; first < rows; first += atOnce) {
    const count = Math.min(atOnce, rows - first);
    const block = { ...a, pointer: a.pointer + first * a.rowStride * 4, rows: count };
    runtime.withScratch(() =>
      encoding.multiply(runtime, { a: block, panels: pointer, columns: V, result: logits, bias: 0, mode: 0, room }),
    );
    const perRow = [ids, runtime.pointer(logProbs!), runtime.pointer(logSumExp!)].map((start) => start + first * 4);
    const chunks = Math.min(count, runtime.chunks(count * V, ROW_CHUNK));
    runtime.run("targetLogProbsJob", chunks, [logits, ...perRow, count, V]);
  }
  return undefined;
};

/** Whole tiles of rows, in blocks of about one size: each reads the whole weight. */
function rowsAtOnce(rows: number, V: number): number {
  const most = Math.max(1, Math.floor(LOGITS_AT_ONCE / (V * TILE_ROWS))) * TILE_ROWS;
  const even = rows / Math.ceil(rows / most);
  return Math.ceil(even / TILE_ROWS) * TILE_ROWS;
}

export const crossEntropyKernels: WasmKernels = { targetLogProbs };
