import type { TargetLogProbsBackwardParams } from "../../reference/backward/cross-entropy.ts";
import { BLOCK } from "../abi.ts";
import type { Matrix } from "../encodings/product.ts";
import { allBelow } from "../overrides/indices.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { matmul, matrixAt } from "../overrides/matmul.ts";
import { ROW_CHUNK } from "../overrides/rows.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked, type WasmView } from "../storage.ts";
import { multiplyInto, multiplyPanelsInto, panelsFor, transposed } from "./matmul.ts";
import { runTraining } from "./run.ts";

/** Elements of the weight, or of logits that are not kept, that are worked on at once (8 MiB): each of these is read once. */
const AT_ONCE = 2 ** 21;

export const targetLogProbsWithLogits: WasmKernel<undefined> = (runtime, inputs, _params, outputs) => {
  const [x, w, targets] = inputs;
  const [logProbs, logSumExp, logits] = outputs;
  const [R, V] = logits!.shape as readonly [number, number];
  const ids = runtime.contiguous(targets!);
  if (!allBelow(runtime, ids, R, V)) return "target out of range";
  const reason = allLogits(runtime, x!, w!, logits!);
  if (reason !== undefined || R === 0) return reason;
  const perRow = [ids, runtime.pointer(logProbs!), runtime.pointer(logSumExp!)];
  const chunks = Math.min(R, runtime.chunks(R * V, ROW_CHUNK));
  runtime.run("targetLogProbsJob", chunks, [runtime.pointer(logits!), ...perRow, R, V]);
  return undefined;
};

/** x·w: of a weight that is not packed some columns at a time, so that a copy of it in panels stays in a cache. */
function allLogits(runtime: WasmRuntime, x: WasmView, w: WasmView, logits: WasmView): string | undefined {
  const [X, W, Z] = [x, w, logits].map((view) => matrixAt(runtime, view, 0)) as [Matrix, Matrix, Matrix];
  if (isPacked(x) || isPacked(w) || X.columns === 0 || X.rows === 0)
    return matmul(runtime, [x, w], undefined, [logits]);
  const atOnce = columnsAtOnce(X.columns);
  for (let first = 0; first < W.columns; first += atOnce) {
    const count = Math.min(atOnce, W.columns - first);
    runtime.withScratch(() => multiplyInto(runtime, X, columnsOf(W, first, count), columnsOf(Z, first, count), false));
  }
  return undefined;
}

export const targetLogProbsBackward: WasmKernel<TargetLogProbsBackwardParams> = (
  runtime,
  inputs,
  { weight, logits },
  outputs,
) => {
  if ([...inputs, ...outputs].some(isPacked)) return "packed matrix";
  const [x, w, targets, ...perRow] = inputs;
  const [X, W, dX] = [x!, w!, outputs[0]!].map((view) => matrixAt(runtime, view, 0)) as [Matrix, Matrix, Matrix];
  const Z = logits ? matrixAt(runtime, outputs[1]!, 0) : undefined;
  const dW = weight ? matrixAt(runtime, outputs.at(-1)!, 0) : undefined;
  const [R, K, V] = [X.rows, X.columns, W.columns];
  if (R === 0) return undefined;
  if (K === 0) return "no terms to sum";
  if (Z && Z.columnStride !== 1 && V > 1) return "logits with gaps";
  const ids = runtime.contiguous(targets!);
  if (!allBelow(runtime, ids, R, V)) return "target out of range";
  const rowArguments = [ids, ...perRow.map((view) => runtime.contiguous(view))];
  // Whole blocks of terms, so that the sums of dx are those of one product with all logits.
  const atOnce = columnsAtOnce(Math.max(R, K));
  const room = Z ? 0 : runtime.scratch(R * Math.min(atOnce, V) * 4);
  for (let first = 0; first < V; first += atOnce) {
    const count = Math.min(atOnce, V - first);
    const columns = columnsOf(W, first, count);
    const z = Z
      ? columnsOf(Z, first, count)
      : { pointer: room, rows: R, columns: count, rowStride: count, columnStride: 1 };
    if (!Z) runtime.withScratch(() => multiplyPanelsInto(runtime, X, panelsFor(runtime, columns), z, false));
    const chunks = Math.min(R, runtime.chunks(R * count, ROW_CHUNK));
    const ints = [z.pointer, z.rowStride * 4, R, count, first, ...rowArguments];
    runTraining(runtime, "logitGradientsJob", chunks, ints);
    runtime.withScratch(() => multiplyInto(runtime, z, transposed(columns), dX, first > 0));
    if (dW) runtime.withScratch(() => multiplyInto(runtime, transposed(X), z, columnsOf(dW, first, count), true));
  }
  return undefined;
};

/** Columns of so many rows that are worked on at once: a multiple of BLOCK. */
function columnsAtOnce(rows: number): number {
  return Math.max(1, Math.floor(AT_ONCE / (rows * BLOCK))) * BLOCK;
}

function columnsOf(matrix: Matrix, first: number, columns: number): Matrix {
  return { ...matrix, pointer: matrix.pointer + first * matrix.columnStride * 4, columns };
}
