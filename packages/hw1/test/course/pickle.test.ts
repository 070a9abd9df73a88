import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pickleBools, pickleFloatArray } from "../../src/course/pickle.ts";
import { readPickle } from "../../src/data/pickle.ts";

const HEADER = [0x80, 2];
const NAME = [...Buffer.from("cnumpy\narray\n")];
const CALL_AND_STOP = [0x85, 0x52, 0x2e];

/** Files as a run writes them. Python reads them with NumPy 1 and 2: oracle/check_course_files.py. */
const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

describe("a pickle for Python", () => {
  it("of bools is the list that went in, as our reader finds", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (values) => {
        expect(readPickle(pickleBools(values))).toEqual(values);
      }),
    );
  });

  it("of floats calls numpy.array with the list that went in, to the bit", () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 100 }), (values) => {
        const bytes = [...pickleFloatArray(values)];
        expect(bytes.slice(0, HEADER.length + NAME.length)).toEqual([...HEADER, ...NAME]);
        expect(bytes.slice(-CALL_AND_STOP.length)).toEqual(CALL_AND_STOP);
        const list = bytes.slice(HEADER.length + NAME.length, -CALL_AND_STOP.length);
        const found = readPickle(Uint8Array.from([...HEADER, ...list, 0x2e])) as number[];
        expect(found).toHaveLength(values.length);
        for (const [i, value] of found.entries()) expect(Object.is(value, values[i])).toBe(true);
      }),
    );
  });

  it("is never read by ours if it names a function", () => {
    expect(() => readPickle(pickleFloatArray([-1]))).toThrow(/GLOBAL at byte 2: it names numpy\.array/);
  });

  it("has the bytes that Python was tried on", () => {
    const numbers = fixture("likelihood_random.txt").toString().trimEnd().split("\n").map(Number);
    expect(numbers.length).toBeGreaterThan(20);
    expect(Buffer.from(pickleFloatArray(numbers)).equals(fixture("random_raw.pkl"))).toBe(true);
    const lines = fixture("classification.jsonl").toString().trimEnd().split("\n");
    const labels = lines.map((line) => (JSON.parse(line) as { random: boolean }).random);
    expect(new Set(labels).size).toBe(2);
    expect(Buffer.from(pickleBools(labels)).equals(fixture("classification.pkl"))).toBe(true);
  });
});
