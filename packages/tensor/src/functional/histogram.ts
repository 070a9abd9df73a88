import { ShapeMismatchError } from "../errors.ts";
import { tidy } from "../memory.ts";
import { checkOptionNames, OptionError, showValue } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import type { Shape } from "../types/shape-types.ts";
import { arange, linspace, onesLike, zeros } from "./creation.ts";
import { clamp, floor, logicalAnd, where } from "./elementwise.ts";
import { operand } from "./operand.ts";
import { scatterAdd } from "./rows.ts";

/** What {@link histogram} covers. */
export interface HistogramOptions {
  /** From the lowest to the highest number that counts. Default: the least and the greatest element. */
  readonly range?: readonly [number, number];
}

/** How many elements lie in each of some bins. */
export interface Histogram<N extends number> {
  readonly counts: Tensor<[N], "int32">;
  /** Where the bins begin, and where the last one ends: `[N + 1]`. */
  readonly edges: Tensor<[number]>;
}

/**
 * Counts elements in `bins` bins of equal width, as `numpy.histogram` does: a bin has its lower edge and not its upper one; the last has
 * both. What is outside the range, or NaN, is not counted.
 */
export function histogram<S extends Shape, const N extends number>(
  x: Tensor<S>,
  bins: N,
  options: HistogramOptions = {},
): Histogram<N> {
  checkOptionNames(options, ["range"], "histogram");
  if (!Number.isInteger(bins) || bins < 1) {
    throw new ShapeMismatchError("histogram", `expected a number of bins from 1, got ${showValue(bins)}`);
  }
  const { range } = options;
  if (range !== undefined && !isRange(range)) {
    throw new OptionError("range", `expected two numbers, the lower one first, got ${showValue(range)}`);
  }
  const given: Tensor = operand("histogram", x as Tensor<Shape>, "float32");
  const { device } = given;
  const last: number = bins - 1;
  return tidy(() => {
    const row = given.flatten();
    const edges = range ? linspace(...range, last + 2, { device }) : edgesAround(row, bins);
    const [low, high] = [edges.at(0), edges.at(last + 1)];
    const scaled = row.sub(low).div(high.sub(low)).mul(bins);
    const guess = clamp(floor(scaled), 0, last).cast("int32");
    // Rounding may have put an element into the bin beside its own.
    const fewer = guess.sub(row.lt(edges.gather(0, guess)));
    const least = clamp(fewer, 0, last);
    const more = logicalAnd(row.ge(edges.gather(0, least.add(1))), least.lt(last));
    const inside = logicalAnd(row.ge(low), row.le(high));
    const bin = where(inside, least.add(more), last + 1); // one bin more for what is outside
    const none = zeros([last + 2], { dtype: "int32", device });
    const counts = scatterAdd(none, 0, bin, onesLike(bin)).slice(0, 0, last + 1);
    return { counts: counts.contiguous(), edges };
  }) as unknown as Histogram<N>;
}

function isRange(range: readonly number[]): boolean {
  return Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0]! < range[1]!;
}

/** The edges of bins from the least to the greatest element, or half a unit to both sides where these are the same. */
function edgesAround(row: Tensor, bins: number): Tensor<[number]> {
  const { device } = row;
  if (row.size === 0) return linspace(0, 1, bins + 1, { device });
  const [least, greatest] = [row.min(), row.max()];
  const one = least.eq(greatest);
  const low = where(one, least.sub(0.5), least);
  const high = where(one, greatest.add(0.5), greatest);
  const numbers = arange(0, bins + 1, 1, { device });
  return where(numbers.eq(bins), high, numbers.mul(high.sub(low)).div(bins).add(low)) as Tensor<[number]>;
}
