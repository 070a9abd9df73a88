import type { CpuView, Kernel } from "../backend.ts";
import { forEachIndex, forEachRow } from "./iterate.ts";
import { exp, log } from "./math.ts";

export interface ReduceParams {
  /** How many trailing axes are reduced: x [...lead, ...reduced], out [...lead]. */
  readonly axes: number;
}

type Step = (sofar: number, x: number) => number;

/** Σ x; int32 wraps around at 32 bits. */
export const sumKernel = /* @__PURE__ */ fold(0, (sum, x) => sum + x, { ofInt: (sum, x) => (sum + x) | 0 });

/** Σ x / n */
export const meanKernel = /* @__PURE__ */ fold(0, (sum, x) => sum + x, { finish: (sum, count) => sum / count });

/** Π x; int32 wraps around at 32 bits. */
export const prodKernel = /* @__PURE__ */ fold(1, (product, x) => product * x, { ofInt: Math.imul });

/** The largest x; NaN if any is. */
export const maxKernel = /* @__PURE__ */ fold(-Infinity, (largest, x) => Math.max(largest, x));

/** The smallest x; NaN if any is. */
export const minKernel = /* @__PURE__ */ fold(Infinity, (smallest, x) => Math.min(smallest, x));

/** Whether any x is true. */
export const anyKernel = /* @__PURE__ */ fold(0, (any, x) => any | x);

/** Whether all x are true. */
export const allKernel = /* @__PURE__ */ fold(1, (all, x) => all & x);

/** m + log Σ e^(x − m), m = max x. */
export const logSumExpKernel: Kernel<ReduceParams> = (inputs, { axes }, outputs) => {
  forEachGroup(inputs[0]!, axes, outputs[0]!, (visitGroup) => {
    let largest = -Infinity;
    visitGroup((x) => {
      largest = Math.max(largest, x);
    });
    if (!Number.isFinite(largest)) return largest;
    let sum = 0;
    visitGroup((x) => {
      sum += exp(x - largest);
    });
    return largest + log(sum);
  });
};

/** The row-major number of the first largest x (or of the first NaN). */
export const argMaxKernel: Kernel<ReduceParams> = /* @__PURE__ */ argBest((x, best) => x > best);

/** The row-major number of the first smallest x (or of the first NaN). */
export const argMinKernel: Kernel<ReduceParams> = /* @__PURE__ */ argBest((x, best) => x < best);

/** out[j] = x[0] + … + x[j] along the last axis. */
export const cumsumKernel: Kernel<undefined> = (inputs, _, outputs) => {
  const x = inputs[0]!;
  const out = outputs[0]!;
  forEachRow(out.shape, [x, out], (at, length, step) => {
    let sum = 0;
    for (let j = 0; j < length; j++) {
      sum += x.data[at[0]! + j * step[0]!]!;
      out.data[at[1]! + j * step[1]!] = sum;
    }
  });
};

function argBest(better: (x: number, best: number) => boolean): Kernel<ReduceParams> {
  return (inputs, { axes }, outputs) => {
    forEachGroup(inputs[0]!, axes, outputs[0]!, (visitGroup) => {
      let number = 0;
      let bestNumber = 0;
      let best: number | undefined;
      visitGroup((x) => {
        if (best === undefined || better(x, best) || (Number.isNaN(x) && !Number.isNaN(best))) {
          best = x;
          bestNumber = number;
        }
        number++;
      });
      return bestNumber;
    });
  };
}

/** A reduction that carries one number from element to element, in row-major order. */
function fold(
  initial: number,
  step: Step,
  { ofInt = step, finish = (total) => total }: { ofInt?: Step; finish?: (total: number, count: number) => number } = {},
): Kernel<ReduceParams> {
  return (inputs, { axes }, outputs) => {
    const x = inputs[0]!;
    const next = x.dtype === "int32" ? ofInt : step;
    forEachGroup(x, axes, outputs[0]!, (visitGroup) => {
      let total = initial;
      let count = 0;
      visitGroup((value) => {
        total = next(total, value);
        count++;
      });
      return finish(total, count);
    });
  };
}

/** Stores, for each element of `out`, what `reduce` makes of its elements of x. */
function forEachGroup(
  x: CpuView,
  axes: number,
  out: CpuView,
  reduce: (visitGroup: (visit: (value: number) => void) => void) => number,
): void {
  const lead = x.shape.length - axes;
  const groupShape = x.shape.slice(lead);
  const strides = x.strides.slice(lead);
  forEachIndex(out.shape, [x, out], (at) => {
    const offset = at[0]!;
    out.data[at[1]!] = reduce((visit) => {
      forEachRow(groupShape, [{ offset, strides }], (start, length, step) => {
        for (let c = 0, i = start[0]!; c < length; c++, i += step[0]!) visit(x.data[i]!);
      });
    });
  });
}
