import { sizeOf } from "../../../shape.ts";
import type { LinearParams } from "../../reference/matmul.ts";
import type { DeviceBuffer } from "../device-buffer.ts";
import type { KernelSpec } from "../kernel-spec.ts";
import type { Launcher } from "../launcher.ts";
import type { GpuView } from "../storage.ts";
import { collapse } from "./axes.ts";
import type { GpuKernel, GpuKernels } from "./kernel.ts";
import { firstColumns, fourColumns, oneColumn, sumOfParts } from "./matmul-bodies.ts";
import { contiguous, refusal } from "./operands.ts";

// Every product is one kernel on threads [x, y, z]: x counts columns of the result (four to a thread where a thread may
// return four numbers), y its rows, z its matrices. Operands are read where they lie, by their strides, so a transposed
// one costs nothing extra to prepare.
//
// On a real GPU, a group of 8 × 8 threads (GPU.js's choice for several axes) makes 8 rows × 32 columns: at each step of
// the sum it reads 32 neighbours of a row of b, one cache line, and eight elements of a, whose lines serve the next 31
// steps too. Four columns to a thread need 5 reads for 4 multiply-adds instead of 8. Two by two need 4, but their results
// lie in blocks that another kernel would have to put in order; with neither shared memory nor more than four results per
// thread in GPU.js, no larger tile can be had.

/** Where an operand's elements are, in elements: the first, and how far apart along threads x, y, z and the summed axis. */
interface Operand {
  readonly buffer: DeviceBuffer;
  readonly start: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly k: number;
}

/** Sizes of a product: its matrices, their rows and columns, and the terms of each sum. */
interface Sizes {
  readonly matrices: number;
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
}

/** What is done to a sum before it is stored. */
interface Ending {
  readonly bias: GpuView | undefined;
  readonly gelu: boolean;
}

/** What WebGPU has groups of threads for: 65,535 along each axis, of 8 columns, of 8 rows and of one matrix. */
const MOST_COLUMNS = 65_535 * 8;
const MOST_ROWS = 65_535 * 8;
const MOST_MATRICES = 65_535;
/** A product of a single row is summed in so many parts, or somewhat fewer: see {@link multiplyRow}. */
const MOST_PARTS = 32;
/** From so many terms on, four columns to a thread are worth a copy of the result where rows are no multiple of four. */
const WORTH_PADDING = 64;
/** webasm gives each worker 4096 threads or more (src/backend/web-assembly/kernel.js): with fewer, some have nothing to do. */
const BUSY_WORKERS = 4 * 4096;

const plain: Ending = { bias: undefined, gelu: false };

function withEnding(spec: KernelSpec, { bias, gelu }: Ending): KernelSpec {
  return { ...spec, constants: { bias: bias ? 1 : 0, gelu: gelu ? 1 : 0 } };
}

/** What the bodies take after the operands: a buffer in any case. */
function endingArguments({ bias }: Ending, other: DeviceBuffer): [DeviceBuffer, number, number] {
  return bias ? [bias.storage.buffer, bias.offset, bias.strides[0]!] : [other, 0, 0];
}

/** The product, its rows `step` elements apart, which may be more than it has columns. */
function spacedProduct(
  launcher: Launcher,
  a: Operand,
  b: Operand,
  { matrices, rows, columns, terms }: Sizes,
  ending: Ending,
): { readonly buffer: DeviceBuffer; readonly step: number } {
  const args = [
    ...[a.buffer, a.start, a.y, a.z, a.k],
    ...[b.buffer, b.start, b.x, b.y, b.z, b.k],
    terms,
    ...endingArguments(ending, a.buffer),
  ];
  const quads = Math.ceil(columns / 4);
  const four =
    launcher.maxComponents === 4 &&
    (columns % 4 === 0 || (terms >= WORTH_PADDING && columns > 4)) &&
    (launcher.runtime.mode !== "webasm" || quads * rows * matrices >= BUSY_WORKERS);
  const threads = four ? quads : columns;
  const spec = withEnding(four ? fourColumns : oneColumn, ending);
  return { buffer: launcher.launch(spec, [threads, rows, matrices], args), step: four ? threads * 4 : threads };
}

/** A new buffer with the product [matrices, rows, columns]. */
function product(launcher: Launcher, a: Operand, b: Operand, sizes: Sizes, ending: Ending): DeviceBuffer {
  if (sizes.matrices * sizes.rows === 1) return multiplyRow(launcher, a, b, sizes, ending);
  const { buffer, step } = spacedProduct(launcher, a, b, sizes, ending);
  const { matrices, rows, columns } = sizes;
  if (step === columns) return buffer;
  launcher.scratch(buffer);
  return launcher.launch(firstColumns, [columns, rows, matrices], [buffer, step, rows]);
}

/**
 * A product of one row: a thread for every column would leave most of a GPU idle, and in a group of 8 × 8 threads seven
 * rows of eight. So the sums are made in parts, each of every n-th term, by the rows of threads (neighbours read
 * neighbouring terms, which matters where b is transposed), and added up by a second kernel. The CPU modes gain nothing
 * from it.
 */
function multiplyRow(launcher: Launcher, a: Operand, b: Operand, sizes: Sizes, ending: Ending): DeviceBuffer {
  const { columns, terms } = sizes;
  const { mode } = launcher.runtime;
  const parts = mode === "webasm" || mode === "cpu" ? 1 : partsOf(terms);
  if (parts === 1) {
    const { buffer, step } = spacedProduct(launcher, a, b, sizes, ending);
    if (step === columns) return buffer;
    launcher.scratch(buffer);
    return launcher.launch(firstColumns, [columns, 1, 1], [buffer, step, 1]);
  }
  const partial = spacedProduct(
    launcher,
    { ...a, y: a.k, k: a.k * parts },
    { ...b, y: b.k, k: b.k * parts },
    { matrices: 1, rows: parts, columns, terms: terms / parts },
    plain,
  );
  launcher.scratch(partial.buffer);
  const args = [partial.buffer, parts, partial.step, ...endingArguments(ending, a.buffer)];
  return launcher.launch(withEnding(sumOfParts, ending), columns, args);
}

/** The largest divisor of the number of terms up to {@link MOST_PARTS}. */
function partsOf(terms: number): number {
  let parts = Math.min(MOST_PARTS, terms);
  while (terms % parts !== 0) parts--;
  return parts;
}

/** The last two axes of a view, `step` elements from one matrix to the next. */
interface Matrices {
  readonly buffer: DeviceBuffer;
  readonly start: number;
  readonly step: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** Both operands, their matrices evenly spaced: in a copy if they are not. */
function evenly(launcher: Launcher, a: GpuView, b: GpuView): readonly [Matrices, Matrices] {
  const batch = a.shape.slice(0, -2);
  const axes = collapse(batch, [a.strides.slice(0, -2), b.strides.slice(0, -2)]);
  const matricesOf = (view: GpuView, i: number): Matrices => {
    const [rows, columns] = view.shape.slice(-2) as [number, number];
    if (axes.length > 1) {
      const { buffer, offset } = contiguous(launcher, view);
      return { buffer, start: offset, step: rows * columns, rowStep: columns, columnStep: 1 };
    }
    const [rowStep, columnStep] = view.strides.slice(-2) as [number, number];
    return { buffer: view.storage.buffer, start: view.offset, step: axes[0]!.steps[i]!, rowStep, columnStep };
  };
  return [matricesOf(a, 0), matricesOf(b, 1)];
}

/** matmul: [...batch, M, K] · [...batch, K, N]. Operands are read through their strides. */
const matmul: GpuKernel<undefined> = (launcher, [a, b], _params, [out]) => {
  const [rows, columns] = out!.shape.slice(-2) as [number, number];
  const matrices = sizeOf(out!.shape.slice(0, -2));
  const terms = a!.shape.at(-1)!;
  const reason =
    refusal(launcher, [a!, b!]) ?? tooLarge(terms, columns, rows === 1 ? matrices : rows, rows === 1 ? 1 : matrices);
  if (reason !== undefined) return reason;
  const [left, right] = evenly(launcher, a!, b!);
  const own = { buffer: left.buffer, start: left.start, x: 0, k: left.columnStep };
  const other = { buffer: right.buffer, start: right.start, x: right.columnStep, k: right.rowStep };
  // Matrices of one row are made by the threads that make rows.
  const result =
    rows === 1
      ? product(
          launcher,
          { ...own, y: left.step, z: 0 },
          { ...other, y: right.step, z: 0 },
          { matrices: 1, rows: matrices, columns, terms },
          plain,
        )
      : product(
          launcher,
          { ...own, y: left.rowStep, z: left.step },
          { ...other, y: 0, z: right.step },
          { matrices, rows, columns, terms },
          plain,
        );
  out!.storage.put(result);
  return undefined;
};

/** linear: x [M, K] · w [K, N] + bias [N], then the activation. */
const linear: GpuKernel<LinearParams> = (launcher, [x, w, bias], { activation }, [out]) => {
  const [rows, columns] = out!.shape as [number, number];
  const terms = x!.shape[1]!;
  const reason = refusal(launcher, [x!, w!]) ?? tooLarge(terms, columns, rows, 1);
  if (reason !== undefined) return reason;
  const [rowStep, columnStep] = x!.strides as [number, number];
  const [termStep, weightStep] = w!.strides as [number, number];
  const result = product(
    launcher,
    { buffer: x!.storage.buffer, start: x!.offset, x: 0, y: rowStep, z: 0, k: columnStep },
    { buffer: w!.storage.buffer, start: w!.offset, x: weightStep, y: 0, z: 0, k: termStep },
    { matrices: 1, rows, columns, terms },
    { bias, gelu: activation === "gelu" },
  );
  out!.storage.put(result);
  return undefined;
};

/** Rows `first` to `first + count` of x [R, K], times w [K, V]: a new buffer. */
export function productOfRows(launcher: Launcher, x: GpuView, w: GpuView, first: number, count: number): DeviceBuffer {
  const [rowStep, columnStep] = x.strides as [number, number];
  const [termStep, weightStep] = w.strides as [number, number];
  return product(
    launcher,
    { buffer: x.storage.buffer, start: x.offset + first * rowStep, x: 0, y: rowStep, z: 0, k: columnStep },
    { buffer: w.storage.buffer, start: w.offset, x: weightStep, y: 0, z: 0, k: termStep },
    { matrices: 1, rows: count, columns: w.shape[1]!, terms: x.shape[1]! },
    plain,
  );
}

export function tooLarge(terms: number, columns: number, rows: number, matrices: number): string | undefined {
  if (terms === 0) return "no terms to sum";
  const fits = columns <= MOST_COLUMNS && rows <= MOST_ROWS && matrices <= MOST_MATRICES;
  return fits ? undefined : "more columns, rows or matrices than there are threads";
}

export const matmulKernels: GpuKernels = { matmul, linear };
