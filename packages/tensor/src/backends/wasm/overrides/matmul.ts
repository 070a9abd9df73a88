import { packPanelsAt } from "../packed.ts";
import { type Panels, panelCount, panelWidth } from "../panels.ts";
import { isPacked, type WasmRuntime } from "../runtime.ts";
import type { WasmView } from "../storage.ts";
import { multiplyInt8, quantizedBytes } from "./int8.ts";
import type { WasmKernel, WasmKernels } from "./kernel.ts";
import { vectorChunks } from "./vector.ts";

/** Rows of a tile, and the bit that asks for GELU: as in kernels/tile.ts. */
const tileRows = 4;
const geluMode = 2;
/** Terms that kernels/tile.ts sums at once: a panel of bfloat16 is decoded so many rows at a time. */
const BLOCK = 256;
/** Tiles of A that stay in the second-level cache while panels of B pass by: 128 rows × 256 terms are 128 KiB. */
const tilesPerRowBlock = 32;
/** Multiplications worth a chunk of their own (some 20 µs), and elements worth one when only memory is moved. */
const CHUNK_PRODUCTS = 2 ** 19;
const CHUNK_ELEMENTS = 32_768;

/** A matrix by address, size and strides in elements. */
export interface Matrix {
  readonly pointer: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

export interface Product {
  readonly a: Matrix;
  readonly b: PackedOperand;
  readonly columns: number;
  readonly result: number;
  readonly bias: number;
  readonly mode: number;
  /** Room for A as the kernels read it, from {@link roomForRows}. */
  readonly room: number;
}

/** The panels of B: their address, and how they are kept. */
export interface PackedOperand extends Pick<Panels, "encoding" | "bytes"> {
  readonly pointer: number;
}

/** Temporary memory for A [rows, columns]: in tiles, or quantized. */
function roomForRows(runtime: WasmRuntime, { encoding }: PackedOperand, rows: number, columns: number): number {
  if (encoding === "int8") return runtime.scratch(quantizedBytes(rows, columns));
  return runtime.scratch(Math.ceil(rows / tileRows) * tileRows * columns * 4);
}

/** Result [M, N] = A [M, K] · panels [K, N], all sizes at least 1. */
function multiply(runtime: WasmRuntime, product: Product): void {
  const { a, b, columns, result, bias, mode, room: tiles } = product;
  if (b.encoding === "int8") {
    multiplyInt8(runtime, product);
    return;
  }
  const { pointer: panels, encoding } = b;
  const k = a.columns;
  if (a.rows === 1) {
    let row = a.pointer;
    if (a.columnStride !== 1 && k > 1) {
      row = tiles;
      runtime.run("copyJob", 1, [a.pointer, row, 4, 1, k, a.columnStride, 1]);
    }
    const job = encoding === "bf16" ? "vectorMatmulBf16Job" : "vectorMatmulJob";
    runtime.run(job, vectorChunks(runtime, k, columns), [row, panels, result, columns, k, bias, mode]);
    return;
  }
  const tileCount = Math.ceil(a.rows / tileRows);
  const packChunks = Math.min(tileCount, runtime.chunks(a.rows * k, CHUNK_ELEMENTS));
  runtime.run("packTilesJob", packChunks, [a.pointer, tiles, a.rows, k, a.rowStride, a.columnStride]);
  const rowBlocks = Math.ceil(tileCount / tilesPerRowBlock);
  const chunks = runtime.chunks(a.rows * k * columns, CHUNK_PRODUCTS, 12);
  const columnBlocks = Math.min(panelCount(columns), Math.ceil(chunks / rowBlocks));
  const decoded = encoding === "bf16" ? runtime.scratch(rowBlocks * columnBlocks * BLOCK * panelWidth * 4) : 0;
  const ints = [tiles, panels, result, a.rows, columns, k, bias, mode, rowBlocks, decoded];
  runtime.run("matmulJob", rowBlocks * columnBlocks, ints);
}

/** The last two axes of a view, `batch` elements into its storage from the view's first. */
function matrixAt(runtime: WasmRuntime, view: WasmView, batch: number): Matrix {
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
  const { rows, columns } = storage.panels!;
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

/** The panels of B, and a function that fills them for a batch: nothing to do when B was packed before. */
interface FilledPanels extends PackedOperand {
  fill(batch: number): void;
}

function panelsOf(runtime: WasmRuntime, b: WasmView): FilledPanels | undefined {
  if (b.storage.panels) {
    const pointer = ownPanels(b);
    return pointer === undefined ? undefined : { ...b.storage.panels, pointer, fill: () => undefined };
  }
  const [rows, columns] = b.shape.slice(-2) as [number, number];
  const pointer = runtime.scratch(panelCount(columns) * panelWidth * rows * 4);
  let filled = -1;
  const fill = (batch: number) => {
    if (batch === filled) return;
    filled = batch;
    packPanelsAt(runtime, runtime.pointer(b) + batch * 4, [rows, columns], b.strides.slice(-2), pointer);
  };
  return { pointer, encoding: "f32", bytes: false, fill };
}

function zero(out: WasmView): void {
  (out.storage.data as Float32Array).fill(0, out.offset, out.offset + out.shape.reduce((size, dim) => size * dim, 1));
}

/** matmul: [...batch, M, K] · [...batch, K, N]. Operands are read through their strides; B goes through panels. */
const matmul: WasmKernel<undefined> = (runtime, [a, b], _params, [out]) => {
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
  const room = roomForRows(runtime, panels, m, k);
  let result = runtime.pointer(out!);
  for (const [batchA, batchB] of batches(batchShape, a!.strides, b!.strides)) {
    panels.fill(batchB);
    const matrix = matrixAt(runtime, a!, batchA);
    multiply(runtime, { a: matrix, b: panels, columns: n, result, bias: 0, mode: 0, room });
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
const linear: WasmKernel<{ readonly activation: "none" | "gelu" }> = (runtime, [x, w, bias], { activation }, [out]) => {
  if (isPacked(x!)) return "packed left operand";
  if (bias && isPacked(bias)) return "packed bias";
  const [m, n] = out!.shape as [number, number];
  const k = x!.shape[1]!;
  if (m === 0 || n === 0) return undefined;
  if (k === 0) return "no terms to sum";
  const panels = panelsOf(runtime, w!);
  if (!panels) return "part of a packed matrix";
  panels.fill(0);
  multiply(runtime, {
    a: matrixAt(runtime, x!, 0),
    b: panels,
    columns: n,
    result: runtime.pointer(out!),
    bias: bias ? runtime.contiguous(bias) : 0,
    mode: activation === "gelu" ? geluMode : 0,
    room: roomForRows(runtime, panels, m, k),
  });
  return undefined;
};

export const matmulKernels: WasmKernels = { matmul, linear };
