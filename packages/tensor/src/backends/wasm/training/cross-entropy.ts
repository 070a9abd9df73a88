import type { TargetLogProbsBackwardParams } from "../../reference/backward/cross-entropy.ts";
import { BLOCK } from "../abi.ts";
import type { Matrix } from "../encodings/product.ts";
import { allBelow } from "../overrides/indices.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { matrixAt } from "../overrides/matmul.ts";
import { ROW_CHUNK } from "../overrides/rows.ts";
import { isPacked } from "../storage.ts";
import { multiplyInto, multiplyPanelsInto, panelsFor, transposed } from "./matmul.ts";
import { runTraining } from "./run.ts";

/** Logits that exist at once (8 MiB), of all rows and some columns, so that the weight is read, and its gradient written, once. */
const LOGITS_AT_ONCE = 2 ** 21;

export const targetLogProbsBackward: WasmKernel<TargetLogProbsBackwardParams> = (
  runtime,
  inputs,
  { accumulate },
  outputs,
) => {
  if (inputs.some(isPacked)) return "packed matrix";
  const [x, w, targets, ...perRow] = inputs;
  const [X, W, dX, dW] = [x!, w!, outputs[0]!, outputs[1]!].map((view) => matrixAt(runtime, view, 0)) as Four;
  const [R, K] = [X.rows, X.columns];
  const V = W.columns;
  if (K === 0) return "no terms to sum";
  const ids = runtime.contiguous(targets!);
  if (!allBelow(runtime, ids, R, V)) return "target out of range";
  if (R === 0) {
    multiplyInto(runtime, transposed(X), { ...W, rows: 0 }, dW, accumulate);
    return undefined;
  }
  const rowArguments = [ids, ...perRow.map((view) => runtime.contiguous(view))];
  // Whole blocks of terms, so that the sums of dx are those of a product with all logits at once.
  const atOnce = Math.min(V, Math.max(1, Math.floor(LOGITS_AT_ONCE / (R * BLOCK))) * BLOCK);
  const room = runtime.scratch(R * atOnce * 4);
  for (let first = 0; first < V; first += atOnce) {
    const count = Math.min(atOnce, V - first);
    const logits = { pointer: room, rows: R, columns: count, rowStride: count, columnStride: 1 };
    const columns = columnsOf(W, first, count);
    runtime.withScratch(() => multiplyPanelsInto(runtime, X, panelsFor(runtime, columns), logits, false));
    const chunks = Math.min(R, runtime.chunks(R * count, ROW_CHUNK));
    runTraining(runtime, "logitGradientsJob", chunks, [room, R, count, first, ...rowArguments]);
    runtime.withScratch(() => multiplyInto(runtime, logits, transposed(columns), dX, first > 0));
    runtime.withScratch(() => multiplyInto(runtime, transposed(X), logits, columnsOf(dW, first, count), accumulate));
  }
  return undefined;
};

type Four = [Matrix, Matrix, Matrix, Matrix];

function columnsOf(matrix: Matrix, first: number, columns: number): Matrix {
  return { ...matrix, pointer: matrix.pointer + first * matrix.columnStride * 4, columns };
}
