import type { DType } from "./dtype.ts";
import { showShape } from "./shape.ts";

const summarizeAbove = 1000; // elements
const edgeItems = 3; // elements shown at each end of an axis that is cut
const precision = 4; // digits after the point

/**
 * A tensor as text, laid out like NumPy and PyTorch print theirs: aligned columns, four digits, long axes cut to their
 * ends. `data` holds the elements row-major.
 */
export function formatTensor(dtype: DType, shape: readonly number[], data: ArrayLike<number>, device: string): string {
  const header = `Tensor ${dtype} ${showShape(shape)} on ${device}`;
  if (shape.includes(0)) return `${header}\n${"[".repeat(shape.length)}${"]".repeat(shape.length)}`;
  const cut = data.length > summarizeAbove;
  const shown: number[] = [];
  visit(shape, cut, 0, 0, (index) => shown.push(data[index]!));
  const format = formatter(dtype, shown);
  const width = Math.max(...shown.map((value) => format(value).length));
  return `${header}\n${body(shape, cut, 0, 0, (index) => format(data[index]!).padStart(width))}`;
}

function body(
  shape: readonly number[],
  cut: boolean,
  axis: number,
  start: number,
  cell: (index: number) => string,
): string {
  if (axis === shape.length) return cell(start);
  const stride = shape.slice(axis + 1).reduce((size, dim) => size * dim, 1);
  const last = axis === shape.length - 1;
  const parts = shownIndices(shape[axis]!, cut).map((i) =>
    i === undefined ? "..." : body(shape, cut, axis + 1, start + i * stride, cell),
  );
  const separator = last ? ", " : `,${"\n".repeat(shape.length - axis - 1)}${" ".repeat(axis + 1)}`;
  return `[${parts.join(separator)}]`;
}

function visit(
  shape: readonly number[],
  cut: boolean,
  axis: number,
  start: number,
  cell: (index: number) => void,
): void {
  if (axis === shape.length) {
    cell(start);
    return;
  }
  const stride = shape.slice(axis + 1).reduce((size, dim) => size * dim, 1);
  for (const i of shownIndices(shape[axis]!, cut)) {
    if (i !== undefined) visit(shape, cut, axis + 1, start + i * stride, cell);
  }
}

/** The indices of an axis that are printed; `undefined` where some are left out. */
function shownIndices(size: number, cut: boolean): (number | undefined)[] {
  const all = Array.from({ length: Math.min(size, 2 * edgeItems + 1) }, (_, i) => i);
  if (!cut || size <= 2 * edgeItems) return size === all.length ? all : Array.from({ length: size }, (_, i) => i);
  return [...all.slice(0, edgeItems), undefined, ...all.slice(0, edgeItems).map((i) => size - edgeItems + i)];
}

function formatter(dtype: DType, values: readonly number[]): (value: number) => string {
  if (dtype === "bool") return (value) => (value ? "true" : "false");
  if (dtype !== "float32") return (value) => `${value}`;
  const finite = values.filter(Number.isFinite).map(Math.abs);
  const nonZero = finite.filter((value) => value !== 0);
  if (finite.every(Number.isInteger) && finite.every((value) => value < 1e8)) {
    return (value) => (Number.isFinite(value) ? `${value === 0 ? 0 : value}.` : named(value));
  }
  const largest = Math.max(...nonZero);
  const scientific = largest >= 1e8 || largest / Math.min(...nonZero) > 1000 || largest < 1e-4;
  return (value) => {
    if (!Number.isFinite(value)) return named(value);
    return scientific ? value.toExponential(precision) : value.toFixed(precision);
  };
}

function named(value: number): string {
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
