import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTorchFile } from "../../../src/checkpoint/torch/torch-file.ts";
import { readZipDirectory } from "../../../src/checkpoint/torch/zip.ts";
import { ModelFormatError } from "../../../src/errors.ts";
import { fixture } from "./fixtures.ts";

/** Numbers from 0 to 1 that are the same every time: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes with something changed, and where the first change is, if all others keep their places. */
interface Mutant {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly changed: readonly number[] | undefined;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

function mutate(original: Uint8Array<ArrayBuffer>, next: () => number): Mutant {
  const integer = (below: number): number => Math.floor(next() * below);
  const bytes = original.slice();
  const at = integer(bytes.length);
  switch (integer(8)) {
    case 0: // cut off
      return { bytes: bytes.slice(0, at), changed: undefined };
    case 1: // something is missing
      return { bytes: joined(bytes.subarray(0, at), bytes.subarray(at + 1 + integer(40))), changed: undefined };
    case 2: // something is twice
      return {
        bytes: joined(bytes.subarray(0, at), bytes.subarray(at - integer(Math.min(at, 200)))),
        changed: undefined,
      };
    case 3: {
      // a large number
      const length = Math.min(2 ** (1 + integer(3)), bytes.length - at);
      bytes.fill(0xff, at, at + length);
      return { bytes, changed: Array.from({ length }, (_, i) => at + i) };
    }
    default: {
      // some bits, often near the beginning or the end, where lengths and offsets are
      const changed = Array.from({ length: 1 + integer(3) }, () => {
        const near = integer(Math.min(2000, bytes.length));
        const place = [integer(bytes.length), near, bytes.length - 1 - near][integer(3)]!;
        bytes[place]! ^= 1 << integer(8);
        return place;
      });
      return { bytes, changed };
    }
  }
}

/** All that a file holds, by the tensors' names: dtype, shape and bytes. */
async function contentsOf(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, string>> {
  const file = await openTorchFile(new Blob([bytes]), "file.bin", undefined);
  const contents = new Map<string, string>();
  for (const { name, dtype, shape, read } of file.tensors) {
    const size = shape.reduce((product, dim) => product * dim, elementBytes[dtype as keyof typeof elementBytes]);
    expect(size).toBeLessThanOrEqual(bytes.length); // of each: their sum is bounded too
    const target = new Uint8Array(size);
    await read(target, 0);
    contents.set(name, `${dtype} [${shape}] ${Buffer.from(target).toString("latin1")}`);
  }
  await file.close();
  return contents;
}

const elementBytes = { F64: 8, I64: 8, F32: 4, I32: 4, F16: 2, BF16: 2, I16: 2, I8: 1, U8: 1, BOOL: 1 };

/** Where the bytes of storages lie that no checksum guards; undefined: everything is guarded. */
async function unguarded(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<(at: number) => boolean> {
  if (name.includes("legacy")) {
    const keys = Buffer.from(bytes).lastIndexOf("e."); // of the list of keys, the last pickle
    return (at) => at > keys;
  }
  const source = { path: name, size: bytes.length, close: async () => {} };
  const read = async (at: number, length: number) => bytes.slice(at, at + length);
  const readInto = async (at: number, target: Uint8Array) => target.set(bytes.subarray(at, at + target.length));
  const entries = [...(await readZipDirectory({ ...source, read, readInto })).values()];
  const storages = entries.filter((entry) => entry.crc32 === 0 && entry.name.includes("/data/"));
  return (at) => storages.some(({ offset, size }) => at >= offset && at < offset + size);
}

describe("10,000 mutations of PyTorch's files", () => {
  const outcomes = { equal: 0, refused: 0, otherNumbers: 0, otherObjects: 0 };
  let memory = 0;
  beforeAll(() => {
    memory = process.memoryUsage().rss;
  });

  test.each([
    ["zip.bin", 3000],
    ["no-crc.bin", 2500],
    ["legacy.bin", 2500],
    ["strided.legacy.bin", 1000],
    ["mixed.zip.bin", 1000],
  ] as const)("of %s end in what was saved, or in our error", async (name, count) => {
    const original = await fixture(name);
    const saved = await contentsOf(original);
    const isUnguarded = await unguarded(name, original);
    const hasChecksums = !/no-crc|legacy/.test(name);
    const next = random(20190929 + count);
    for (let i = 0; i < count; i++) {
      const { bytes, changed } = mutate(original, next);
      const found = await contentsOf(bytes).catch((error: unknown) => error);
      if (!(found instanceof Map)) {
        if (!(found instanceof ModelFormatError)) throw found;
        expect(found.message).toMatch(/^file\.bin: /);
        outcomes.refused++;
      } else if (sameContents(found, saved)) outcomes.equal++;
      else {
        // Without checksums other numbers are as good as these, and so is another well-formed pickle.
        expect(hasChecksums).toBe(false);
        if (changed?.every(isUnguarded)) {
          expect([...found.keys()]).toEqual([...saved.keys()]);
          outcomes.otherNumbers++;
        } else outcomes.otherObjects++;
      }
    }
  });

  afterAll(() => {
    const { equal, refused, otherNumbers, otherObjects } = outcomes;
    expect(equal + refused + otherNumbers + otherObjects).toBe(10_000);
    expect(equal).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(5000);
    expect(process.memoryUsage().rss - memory).toBeLessThan(500e6);
  });
});

function sameContents(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, content]) => b.get(name) === content);
}
