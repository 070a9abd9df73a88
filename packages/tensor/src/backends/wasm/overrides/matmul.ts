import { MODE_GELU, PANEL_ROW } from "../abi.ts";
import type { WasmEncoding } from "../encodings/encoding.ts";
import { f32 } from "../encodings/f32.ts";
import type { Matrix } from "../encodings/product.ts";
import { packPanelsAt } from "../packed.ts";
import { panelCount } from "../panels.ts";
import type { WasmRuntime } from "../runtime.ts";
import { isPacked, type WasmView } from "../storage.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";

/** The last two axes of a view, `batch` elements into its storage from the view's first. */
export function matrixAt(runtime: WasmRuntime, view: WasmView, batch: number): Matrix {
  const rank = view.shape.length;
  return {
    pointer: runtime.pointer(view) + batch * 4,
    rows: view.shape[rank - 2]!,
    columns: view.shape[rank - 1]!,
    rowStride: view.strides[rank - 2]!,
    columnStride: view.strides[rank - 1]!,
  };
}

/** Address of the panels of a matrix that was packed before, or undefined when the view is not all of it, in its order. */
function ownPanels({ storage, shape, strides, offset }: WasmView): number | undefined {
  const { rows, columns } = storage.packed!;
  const rank = shape.length;
  const whole =
    offset === 0 &&
    shape[rank - 2] === rows &&
    shape[rank - 1] === columns &&
    (strides[rank - 1] === 1 || columns === 1) &&
    (strides[rank - 2] === columns || rows === 1) &&
    shape.slice(0, -2).every((dim, axis) => dim === 1 || strides[axis] === 0);
  return whole ? storage.pointer : undefined;
}

/** The panels of B, how they are kept, and a function that fills them for a batch: nothing to do when B was packed before. */
export interface FilledPanels {
  readonly pointer: number;
  readonly encoding: WasmEncoding;
  fill(batch: number): void;
}

export function panelsOf(runtime: WasmRuntime, b: WasmView): FilledPanels | undefined {
  const { packed } = b.storage;
  if (packed) {
    const pointer = ownPanels(b);
    return pointer === undefined ? undefined : { pointer, encoding: packed.encoding, fill: () => undefined };
  }
  const [rows, columns] = b.shape.slice(-2) as [number, number];
  const pointer = runtime.scratch(panelCount(columns) * rows * PANEL_ROW);
  let filled = -1;
  const fill = (batch: number) => {
    if (batch === filled) return;
    filled = batch;
    packPanelsAt(runtime, runtime.pointer(b) + batch * 4, [rows, columns], b.strides.slice(-2), pointer);
  };
  return { pointer, encoding: f32, fill };
}

function zero(out: WasmView): void {
  (out.storage.data as Float32Array).fill(0, out.offset, out.offset + out.shape.reduce((size, dim) => size * dim, 1));
}

/** matmul: [...batch, M, K] · [...batch, K, N]. Operands are read through their strides; B goes through panels. */
export const matmul: WasmKernel<undefined> = (runtime, [a, b], _params, [out]) => {
  if (isPacked(a!)) return "packed left operand";
  const rank = out!.shape.length;
  const batchShape = out!.shape.slice(0, -2);
  const [m, n] = [out!.shape[rank - 2]!, out!.shape[rank - 1]!];
  const k = a!.shape[rank - 1]!;
  if (m === 0 || n === 0 || batchShape.includes(0)) return undefined;
  if (k === 0) {
    zero(out!);
    return undefined;
  }
  const panels = panelsOf(runtime, b!);
  if (!panels) return "part of a packed matrix";
  const { encoding, pointer } = panels;
  const room = encoding.roomForRows(runtime, m, k);
  let result = runtime.pointer(out!);
  for (const [batchA, batchB] of batches(batchShape, a!.strides, b!.strides)) {
    panels.fill(batchB);
    const matrix = matrixAt(runtime, a!, batchA);
    encoding.multiply(runtime, { a: matrix, panels: pointer, columns: n, result, bias: 0, mode: 0, room });
    result += m * n * 4;
  }
  return undefined;
};

/** Offsets, in elements, of the two operands' matrices, batch by batch. */
function* batches(
  shape: readonly number[],
  stridesA: readonly number[],
  stridesB: readonly number[],
): Generator<[number, number]> {
  const index = shape.map(() => 0);
  let [a, b] = [0, 0];
  while (true) {
    yield [a, b];
    let axis = shape.length - 1;
    for (; axis >= 0; axis--) {
      index[axis]!++;
      a += stridesA[axis]!;
      b += stridesB[axis]!;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
      a -= shape[axis]! * stridesA[axis]!;
      b -= shape[axis]! * stridesB[axis]!;
    }
    if (axis < 0) return;
  }
}

/** linear: x [M, K] · w [K, N] + bias [N], then the activation. */
export const linear: WasmKernel<{ readonly activation: "none" | "gelu" }> = (
  runtime,
  [x, w, bias],
  { activation },
  [out],
) => {
  if (isPacked(x!)) return "packed left operand";
  if (bias && isPacked(bias)) return "packed bias";
  const [m, n] = out!.shape as [number, number];
  const k = x!.shape[1]!;
  if (m === 0 || n === 0) return undefined;
  if (k === 0) return "no terms to sum";
  const panels = panelsOf(runtime, w!);
  if (!panels) return "part of a packed matrix";
  panels.fill(0);
  const { encoding, pointer } = panels;
  encoding.multiply(runtime, {
    a: matrixAt(runtime, x!, 0),
    panels: pointer,
    columns: n,
    result: runtime.pointer(out!),
    bias: bias ? runtime.contiguous(bias) : 0,
    mode: activation === "gelu" ? MODE_GELU : 0,
    room: encoding.roomForRows(runtime, m, k),
  });
  return undefined;
};

export const matmulKernels: WasmKernels = { matmul, linear };
