import { Tensor } from "@gpt2-ts/tensor";
import { OptionError, showValue } from "@gpt2-ts/tensor/options";
import type { Sizes } from "../model/model.ts";
import type { Axis, Place } from "./places.ts";

/** A part of values: from which element of an axis to before which, by the letter of the axis. */
export type Slice = { readonly [A in Axis]?: readonly [start: number, end: number] | undefined };

/** Throws OptionError for letters that none of the places has, and for ranges that are empty or go beyond an axis. */
export function checkSlice(slice: Slice, places: readonly Place[], sizes: Sizes, tokens: number): void {
  if (typeof slice !== "object" || slice === null) {
    throw new OptionError("slice", `expected ranges by the letters of axes, got ${showValue(slice)}`);
  }
  for (const [letter, range] of Object.entries(slice) as [Axis, unknown][]) {
    if (range === undefined) continue;
    if (!places.some(({ axes }) => axes.includes(letter))) {
      throw new OptionError("slice", `none of the places has an axis ${showValue(letter)}`);
    }
    const size = letter === "T" ? tokens : letter === "3C" ? sizes.QKV : sizes[letter];
    checkRange("slice", range, size, `${letter}: `);
  }
}

/** Throws OptionError unless a range is one, with something in it, of so many. */
export function checkRange(option: string, range: unknown, size: number, of = ""): void {
  const [start, end, ...more]: unknown[] = Array.isArray(range) ? range : [];
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end) && more.length === 0;
  if (whole && 0 <= Number(start) && Number(start) < Number(end) && Number(end) <= size) return;
  throw new OptionError(option, `${of}expected [start, end], 0 ≤ start < end ≤ ${size}, got ${showValue(range)}`);
}

/** The part of a place's value, which keeps no memory of the rest. The caller disposes of it. */
export function partOfValue(
  value: Tensor<readonly number[]>,
  { axes }: Place,
  slice: Slice,
): Tensor<readonly number[]> {
  let part = value;
  for (const [axis, letter] of axes.entries()) {
    const range = slice[letter];
    if (range === undefined || axes.indexOf(letter) < axis) continue; // the second T of a pattern: tokens attended to
    part = part.slice(axis, range[0], range[1]);
  }
  return part === value ? new Tensor(value) : part.contiguous();
}
