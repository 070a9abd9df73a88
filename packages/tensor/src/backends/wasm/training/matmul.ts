import type { MatmulIntoParams } from "../../reference/backward/matmul.ts";
import { MODE_ADD, PANEL_ROW } from "../abi.ts";
import { f32 } from "../encodings/f32.ts";
import type { Matrix } from "../encodings/product.ts";
import type { WasmKernel } from "../overrides/kernel.ts";
import { matrixAt } from "../overrides/matmul.ts";
import { packPanelsAt } from "../packed.ts";
import { panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked } from "../storage.ts";

export const matmulInto: WasmKernel<MatmulIntoParams> = (runtime, [a, b], { accumulate }, [out]) => {
  if (isPacked(a!) || isPacked(b!)) return "packed matrix";
  const [left, right, result] = [a!, b!, out!].map((view) => matrixAt(runtime, view, 0));
  multiplyInto(runtime, left!, right!, result!, accumulate);
  return undefined;
};

/** out [M, N] (+)= a [M, K] · b [K, N], strided as they may be. A sum has the same bits whatever the strides. */
export function multiplyInto(runtime: WasmRuntime, a: Matrix, b: Matrix, out: Matrix, accumulate: boolean): void {
  const { rows, columns } = out;
  const K = a.columns;
  if (rows * columns === 0 || (K === 0 && accumulate)) return;
  const touching = out.columnStride === 1 || columns === 1;
  if (!touching && (out.rowStride === 1 || rows === 1)) {
    multiplyInto(runtime, transposed(b), transposed(a), transposed(out), accumulate);
    return;
  }
  if (!touching || K === 0) {
    const row = { ...out, pointer: runtime.scratch(rows * columns * 4), rowStride: columns, columnStride: 1 };
    if (K === 0) new Float32Array(runtime.memory.buffer, row.pointer, rows * columns).fill(0);
    else if (accumulate) copyMatrix(runtime, out, row);
    if (K > 0) multiplyInto(runtime, a, b, row, accumulate);
    copyMatrix(runtime, row, out);
    return;
  }
  const panels = panelsFor(runtime, b);
  multiplyPanelsInto(runtime, a, panels, out, accumulate);
}

/** Panels of a strided matrix, at a temporary address. */
export function panelsFor(runtime: WasmRuntime, b: Matrix): number {
  const panels = runtime.scratch(panelCount(b.columns) * b.rows * PANEL_ROW);
  packPanelsAt(runtime, b.pointer, [b.rows, b.columns], [b.rowStride, b.columnStride], panels);
  return panels;
}

/** As {@link multiplyInto}, of a matrix b that lies in panels, and a result whose rows have no gaps; K is at least 1. */
export function multiplyPanelsInto(
  runtime: WasmRuntime,
  a: Matrix,
  panels: number,
  out: Matrix,
  accumulate: boolean,
): void {
  f32.multiply(runtime, {
    a,
    panels,
    columns: out.columns,
    result: out.pointer,
    resultStep: out.rowStride * 4,
    bias: 0,
    mode: accumulate ? MODE_ADD : 0,
    room: f32.roomForRows(runtime, a.rows, a.columns),
  });
}

export function transposed({ pointer, rows, columns, rowStride, columnStride }: Matrix): Matrix {
  return { pointer, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride };
}

function copyMatrix(runtime: WasmRuntime, from: Matrix, to: Matrix): void {
  const { rows, columns } = from;
  const axes = [rows, from.rowStride, to.rowStride, columns, from.columnStride, to.columnStride];
  runtime.run("copyJob", 1, [from.pointer, to.pointer, 4, 2, ...axes]);
}
