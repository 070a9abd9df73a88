// How the kernel functions of this folder count. A thread has one number, x; most need its row and column among rows of
// `columns` elements:
//
//     let row = 0;
//     row = Math.floor(this.thread.x / columns) >> 0;
//     if (row * columns > this.thread.x) row--;
//     if (this.thread.x - row * columns >= columns) row++;
//
// GPU.js divides floats, and a GPU's division may be off in the last place: the last two lines put that right. Indices
// must stay integers, because floats are exact only up to 2²⁴ and weights are longer. GPU.js (2.24, src/backend/function-
// tracer.js) holds a local variable as an integer only if it starts as a literal and is counted with `++` somewhere;
// hence also `at = … - 1; at++`. What is assigned to it must be of integers: `>> 0` makes one of a float (as does `| 0`, for
// which the WebGL modes run a loop over all bits). Loops are `while` over variables of the whole function: GPU.js declares
// those of two `for` side by side, and a minifier gives both one name. Minifiers also join an assignment with what comes
// after it in ways that GPU.js does not take: a `while`, or an `if` that returns or declares something. There a declaration
// stands between them.

/** An axis to walk along: its size, and how far apart its elements lie in each of several operands. */
export interface Axis {
  readonly size: number;
  readonly steps: readonly number[];
}

/**
 * The fewest axes that visit operands of one shape in row-major order: none of size one, evenly spaced neighbours as one.
 * At least one axis is left.
 */
export function collapse(shape: readonly number[], strides: readonly (readonly number[])[]): Axis[] {
  const axes: Axis[] = [];
  for (const [i, size] of shape.entries()) {
    if (size === 1) continue;
    const steps = strides.map((all) => all[i]!);
    const outer = axes.at(-1);
    if (outer?.steps.every((step, operand) => step === steps[operand]! * size)) {
      axes[axes.length - 1] = { size: outer.size * size, steps };
    } else {
      axes.push({ size, steps });
    }
  }
  return axes.length > 0 ? axes : [{ size: 1, steps: strides.map(() => 0) }];
}
