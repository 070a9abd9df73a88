import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { contiguous, reshape } from "../../src/ops/rearrange.ts";
import {
  expand,
  permute,
  reshapeView,
  select,
  slice,
  split,
  squeeze,
  transpose,
  unsqueeze,
} from "../../src/ops/views.ts";
import { sizeOf } from "../../src/shape.ts";
import { operand, shapes } from "./arbitraries.ts";
import { place, valuesOf } from "./operands.ts";

const numbered = (...shape: number[]): View =>
  place(referenceBackend, { dtype: "float32", shape, data: Array.from({ length: sizeOf(shape) }, (_, n) => n) });

describe("views", () => {
  it("share their tensor's memory", () => {
    const x = numbered(2, 1, 6);
    const views = [
      ...[transpose(x, 0, 2), permute(x, [2, 0, 1]), slice(x, 2, 1, 6, 2), select(x, 0, 1), squeeze(x, 1)],
      ...[unsqueeze(x, 0), expand(x, [4, 2, 3, 6]), ...split(x, [2, 4], 2), contiguous(x), reshape(x, [3, -1])],
    ];
    for (const view of views) expect(view.storage).toBe(x.storage);
  });

  it("of nothing stay inside the storage", () => {
    expect(slice(numbered(3), 0, 3)).toMatchObject({ shape: [0], offset: 0 });
    expect(valuesOf(slice(numbered(2, 3), 1, 2, 1)).data).toEqual([]);
  });

  it("reshape exactly when strides can express it, and copy otherwise", () => {
    const x = numbered(4, 6);
    const T = transpose(x, 0, 1);
    expect(reshapeView(T, [2, 3, 4])).toMatchObject({ strides: [3, 1, 6] });
    expect(reshapeView(T, [6, 2, 2])).toMatchObject({ strides: [1, 12, 6] });
    expect(reshapeView(T, [24])).toBeUndefined();
    expect(reshapeView(slice(x, 0, 0, 4, 2), [2, 2, 3])).toMatchObject({ strides: [12, 3, 1] });
    expect(reshapeView(slice(x, 1, 0, 4), [16])).toBeUndefined();
    expect(reshapeView(expand(numbered(1), [6]), [2, 3])).toMatchObject({ strides: [0, 0] });
    const copied = reshape(T, [24]);
    expect(copied.storage).not.toBe(x.storage);
    expect(valuesOf(copied).data.slice(0, 5)).toEqual([0, 6, 12, 18, 1]);
  });

  it("reshape to any factorization without changing the order of elements", () => {
    const reshaped = shapes(1, 4).chain((shape) =>
      fc.tuple(operand(shape), fc.shuffledSubarray([...shape, 1, 1], { minLength: shape.length + 2 })),
    );
    fc.assert(
      fc.property(reshaped, fc.boolean(), ([drawn, target], flat) => {
        const x = place(referenceBackend, drawn);
        const shape = flat ? [sizeOf(target)] : target;
        const view = reshapeView(x, shape);
        if (view) expect(valuesOf(view)).toEqual({ ...valuesOf(x), shape });
        expect(valuesOf(reshape(x, shape))).toEqual({ ...valuesOf(x), shape });
      }),
      { seed: 2026, numRuns: 300 },
    );
  });
});
