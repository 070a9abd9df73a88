import type { Backend, View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import { forEachIndex } from "../../src/backends/reference/iterate.ts";
import { type DataOf, type DType, newData } from "../../src/dtype.ts";
import { expand, permute, select, slice, transpose } from "../../src/ops/views.ts";
import { sizeOf } from "../../src/shape.ts";

/** A number as JSON can carry it. */
export type JsonNumber = number | "NaN" | "Infinity" | "-Infinity" | "-0";

/** One step from row-major data to the view that an op gets. */
export type ViewStep =
  | readonly ["transpose", number, number]
  | readonly ["permute", readonly number[]]
  | readonly ["slice", number, number, number, number]
  | readonly ["expand", readonly number[]]
  | readonly ["select", number, number];

/** Row-major data of a shape, and the views taken of it. */
export interface Operand {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly JsonNumber[];
  readonly views?: readonly ViewStep[];
}

/** Plain values: what an op returned, in row-major order. */
export interface Values {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Puts an operand on a backend. The caller releases its storage. */
export function place(backend: Backend, operand: Operand): View {
  return viewed(placeBase(backend, operand), operand);
}

/** The row-major data of an operand, before any view is taken of it. */
export function placeBase(backend: Backend, { dtype, shape, data }: Operand): View {
  const elements = newData(dtype, sizeOf(shape));
  data.forEach((value, i) => {
    elements[i] = Number(value);
  });
  const storage = backend.upload(dtype, elements);
  storage.retain();
  return wholeView(storage, shape);
}

/** What an operand's views show of its data. */
export function viewed(base: View, { views = [] }: Operand): View {
  return views.reduce<View>(applyStep, base);
}

function applyStep(view: View, step: ViewStep): View {
  switch (step[0]) {
    case "transpose":
      return transpose(view, step[1], step[2]);
    case "permute":
      return permute(view, step[1]);
    case "slice":
      return slice(view, step[1], step[2], step[3], step[4]);
    case "expand":
      return expand(view, step[1]);
    case "select":
      return select(view, step[1], step[2]);
  }
}

/** The elements that a view shows. */
export function valuesOf(view: View): Values {
  return valuesIn(view, view.storage.backend.readSync(view.storage));
}

/** The elements that a view shows of its storage's. */
function valuesIn(view: View, elements: DataOf[DType]): Values {
  const data: number[] = [];
  forEachIndex(view.shape, [view], ([at]) => {
    if (at! < 0 || at! >= elements.length)
      throw new RangeError(`element ${at} lies outside a storage of ${elements.length}`);
    data.push(elements[at!]!);
  });
  return { dtype: view.dtype, shape: [...view.shape], data };
}

/** Runs `compute` on operands placed on a backend and returns its results' values; gives all memory back. */
export function evaluate(
  backend: Backend,
  operands: readonly Operand[],
  compute: (views: View[]) => View | readonly View[],
): Values[] {
  const views = operands.map((operand) => place(backend, operand));
  try {
    const results = [compute(views)].flat() as View[];
    for (const { storage } of results) storage.retain();
    const values = results.map(valuesOf);
    for (const { storage } of results) storage.release();
    return values;
  } finally {
    for (const { storage } of views) storage.release();
  }
}

/** As {@link evaluate}, on a backend whose memory is not read at once. */
export async function evaluateLater(
  backend: Backend,
  operands: readonly Operand[],
  compute: (views: View[]) => View | readonly View[],
): Promise<Values[]> {
  const views = operands.map((operand) => place(backend, operand));
  const results: View[] = [];
  try {
    results.push(...([compute(views)].flat() as View[]));
    for (const { storage } of results) storage.retain();
    return await Promise.all(results.map(async (view) => valuesIn(view, await backend.read(view.storage))));
  } finally {
    for (const { storage } of [...views, ...results]) storage.release();
  }
}
