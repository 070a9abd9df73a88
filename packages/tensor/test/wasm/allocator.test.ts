import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Allocator, type Block } from "../../src/backends/wasm/allocator.ts";

const START = 65536;

/** An allocator over at most `limit` bytes. */
function bounded(limit: number): Allocator {
  return new Allocator(START, (end) => end <= START + limit);
}

/** Allocate so many bytes, or release the block at this place among those still held. */
type Step = { readonly allocate: number } | { readonly release: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ allocate: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 })) }),
  fc.record({ release: fc.nat(1000) }),
);

describe("the allocator", () => {
  it("hands out blocks that are aligned, large enough and never overlap, and joins all that comes back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const allocator = bounded(2 ** 21);
        const held: { block: Block; size: number }[] = [];
        for (const action of steps) {
          if ("allocate" in action) {
            const block = allocator.allocate(action.allocate);
            if (block) held.push({ block, size: action.allocate });
          } else if (held.length > 0) {
            const [{ block }] = held.splice(action.release % held.length, 1) as [(typeof held)[number]];
            allocator.release(block);
          }
          const blocks = held.map(({ block }) => block);
          for (const { block, size } of held) {
            expect(block.pointer % 64).toBe(0);
            expect(block.bytes).toBeGreaterThanOrEqual(Math.max(1, size));
          }
          // Held and free blocks tile the memory from its start to its end, and no two free ones touch.
          const free = allocator.freeBlocks;
          const all = [...blocks, ...free].sort((a, b) => a.pointer - b.pointer);
          let at = START;
          for (const [i, block] of all.entries()) {
            expect(block.pointer).toBe(at);
            at += block.bytes;
            if (i > 0) expect(free.includes(block) && free.includes(all[i - 1]!)).toBe(false);
          }
          expect(at).toBe(allocator.end);
          expect(allocator.used).toBe(blocks.reduce((sum, { bytes }) => sum + bytes, 0));
        }
        for (const { block } of held) allocator.release(block);
        const rest = allocator.freeBlocks;
        expect(rest.length).toBeLessThanOrEqual(1);
        expect(rest.reduce((sum, { bytes }) => sum + bytes, START)).toBe(allocator.end);
      }),
      { numRuns: 300 },
    );
  });

  it("takes the smallest block that fits, and the lowest of equal ones", () => {
    const allocator = bounded(2 ** 20);
    const blocks = [640, 64, 256, 64, 320, 64, 256, 64].map((size) => allocator.allocate(size)!);
    for (const index of [0, 2, 4, 6]) allocator.release(blocks[index]!);
    expect(allocator.allocate(250)!.pointer).toBe(blocks[2]!.pointer);
    expect(allocator.allocate(250)!.pointer).toBe(blocks[6]!.pointer);
    expect(allocator.allocate(250)!.pointer).toBe(blocks[4]!.pointer);
  });

  it("says so when memory is exhausted, and goes on when some came back", () => {
    const allocator = bounded(1024);
    const all = Array.from({ length: 16 }, () => allocator.allocate(64)!);
    expect(allocator.allocate(1)).toBeUndefined();
    allocator.release(all[7]!);
    expect(allocator.allocate(65)).toBeUndefined();
    allocator.release(all[8]!);
    expect(allocator.allocate(65)!.pointer).toBe(all[7]!.pointer);
  });

  it("refuses a block that comes back twice", () => {
    const allocator = bounded(1024);
    const block = allocator.allocate(64)!;
    allocator.release(block);
    expect(() => allocator.release(block)).toThrow("released twice");
  });

  it("stays within a quarter of what was ever in use over 10,000 steps of a growing cache beside short-lived results", () => {
    const allocator = bounded(2 ** 32 - START);
    const cache = Array.from({ length: 24 }, () => allocator.allocate(64)!);
    let peak = 0;
    for (let step = 0; step < 10_000; step++) {
      const tokens = (step % 1000) + 1;
      const capacity = 2 ** Math.ceil(Math.log2(tokens));
      const temporary: Block[] = [];
      for (let layer = 0; layer < 24; layer++) {
        temporary.push(allocator.allocate(768 * 4)!, allocator.allocate(3072 * 4)!);
        const bytes = capacity * 64 * 4;
        if (cache[layer]!.bytes !== bytes) {
          const larger = allocator.allocate(bytes)!;
          allocator.release(cache[layer]!);
          cache[layer] = larger;
        }
        if (layer % 3 === 2) for (const block of temporary.splice(0, 4)) allocator.release(block);
      }
      peak = Math.max(peak, allocator.used);
      for (const block of temporary) allocator.release(block);
    }
    expect(allocator.end - START).toBeLessThan(1.25 * peak);
    for (const block of cache) allocator.release(block);
    expect(allocator.used).toBe(0);
  });

  it("knows how much was in use at once", () => {
    const allocator = bounded(2 ** 21);
    const [first, second] = [allocator.allocate(1000)!, allocator.allocate(64)!];
    allocator.release(first);
    allocator.release(allocator.allocate(500)!);
    expect(allocator.mostUsed).toBe(1024 + 64);
    allocator.release(second);
    expect([allocator.used, allocator.mostUsed]).toEqual([0, 1024 + 64]);
  });
});
