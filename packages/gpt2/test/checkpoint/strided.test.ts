import fc from "fast-check";
import { open } from "safetensors-ts";
import { expect, test } from "vitest";
import { gather, isContiguous, spanOf } from "../../src/checkpoint/strided.ts";
import { tensorFile } from "../../src/checkpoint/tensor-file.ts";

/** A view of some dimensions, with strides of any kind, and elements for it. */
const view = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }),
    steps: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 4, maxLength: 4 }),
    elementBytes: fc.constantFrom(1, 2, 4, 8),
  })
  .map(({ shape, steps, elementBytes }) => ({ shape, strides: steps.slice(0, shape.length), elementBytes }));

/** Every index of a shape, in order. */
function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (indices, size) => indices.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}

test("the elements of a view come in the order of its indices, whatever its strides and from any byte on", () => {
  fc.assert(
    fc.property(
      view,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (view, from, to) => {
        const { shape, strides, elementBytes } = view;
        const span = Uint8Array.from({ length: spanOf(view) * elementBytes }, (_, i) => (i * 37 + 11) % 251);
        const expected = indicesOf(shape).flatMap((index) => {
          const at = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0) * elementBytes;
          return [...span.subarray(at, at + elementBytes)];
        });
        const [start, end] = [from, to].map((x) => Math.floor(x * expected.length)).sort((a, b) => a - b) as [
          number,
          number,
        ];
        const target = new Uint8Array(end - start);
        gather(span, view, target, start);
        expect([...target]).toEqual(expected.slice(start, end));
        if (isContiguous(view)) expect(expected).toEqual([...span]);
      },
    ),
    { numRuns: 500 },
  );
});

test("tensors that are made when they are read are a safetensors file to who reads one", async () => {
  const tensors = fc.uniqueArray(
    fc.record({
      name: fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== "__metadata__"),
      shape: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
      dtype: fc.constantFrom("F32" as const, "U8" as const, "F16" as const),
    }),
    { selector: ({ name }) => name, maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(tensors, async (tensors) => {
      const bytesOf = { F32: 4, U8: 1, F16: 2 };
      const made = tensors.map(({ name, shape, dtype }, n) => {
        const bytes = Uint8Array.from(
          { length: shape.reduce((a, b) => a * b, bytesOf[dtype]) },
          (_, i) => (i * 13 + n) % 256,
        );
        const read = async (target: Uint8Array, start: number) =>
          target.set(bytes.subarray(start, start + target.length));
        return { name, shape, dtype, bytes, read };
      });
      await using file = await open(tensorFile(made));
      expect([...file.names].sort()).toEqual(made.map(({ name }) => name).sort());
      for (const { name, shape, dtype, bytes } of made) {
        expect(file.info(name)).toMatchObject({ shape, dtype });
        const target = new Uint8Array(bytes.length);
        await file.readInto(name, target);
        expect(target).toEqual(bytes);
      }
    }),
    { numRuns: 200 },
  );
});
