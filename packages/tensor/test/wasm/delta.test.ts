import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deltaOf } from "../../scripts/binary-delta.mjs";
import { applyDelta } from "../../src/backends/wasm/delta.ts";

const bytes = (most: number) => fc.uint8Array({ max: most, maxLength: 300 }).map((array) => Buffer.from(array));

describe("a delta of two binaries", () => {
  it("makes the second out of the first, whatever they are", () => {
    const pairs = fc.tuple(fc.oneof(bytes(255), bytes(1)), fc.oneof(bytes(255), bytes(1)));
    fc.assert(
      fc.property(pairs, ([from, to]) => {
        expect(Buffer.from(applyDelta(from, deltaOf(from, to))).equals(to)).toBe(true);
      }),
    );
  });

  it("is short where pieces were replaced, removed, added and moved", () => {
    const edit = fc.record({ at: fc.nat(2000), remove: fc.nat(30), add: bytes(255).map((b) => b.subarray(0, 5)) });
    fc.assert(
      fc.property(fc.integer(), fc.array(edit, { maxLength: 5 }), fc.nat(2000), (seed, edits, cut) => {
        const from = Buffer.from(
          Array.from({ length: 2000 }, (_, i) => (Math.imul(i + 1, seed | 1) >>> 13) ^ (i >> 3)),
        );
        let to = Buffer.concat([from.subarray(cut), from.subarray(0, cut)]);
        for (const { at, remove, add } of edits)
          to = Buffer.concat([to.subarray(0, at), add, to.subarray(at + remove)]);
        const delta = deltaOf(from, to);
        expect(Buffer.from(applyDelta(from, delta)).equals(to)).toBe(true);
        expect(delta.length).toBeLessThan(20 + 40 * edits.length);
      }),
    );
  });
});
