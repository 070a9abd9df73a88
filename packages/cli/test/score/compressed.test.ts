import * as zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compressed, compressionFor, decompressed } from "../../src/compressed.ts";

const { zstdCompressSync } = zlib as typeof zlib & {
  zstdCompressSync?: (data: Uint8Array, options?: object) => Buffer;
};
const kinds = zstdCompressSync ? (["gzip", "zstd"] as const) : (["gzip"] as const);

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

async function read(bytes: Uint8Array, length = 1000): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of decompressed(inPieces(bytes, length))) pieces.push(piece);
  return Buffer.concat(pieces);
}

const text = Buffer.from('{"text":"To be, or not to be"}\n'.repeat(40));

describe("bytes that may be compressed", () => {
  it("are given as they are unless they begin as gzip or zstd do", async () => {
    for (const plain of [[], [0x1f], [0x28], [0x28, 0xb5, 0x2f], [0x28, 0xb5, 0x2f, 0x7d, 1]]) {
      for (const length of [1, 2, 100]) expect([...(await read(Uint8Array.from(plain), length))]).toEqual(plain);
    }
    expect(await read(text, 7)).toEqual(text);
  });

  it.each(kinds)("are decompressed: any number of members or frames, however they arrive (%s)", async (kind) => {
    const contents = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(contents, fc.integer({ min: 1, max: 600 }), async (parts, length) => {
        const all = Buffer.concat(await Promise.all(parts.map((part) => compressed(part, kind))));
        expect(await read(all, length)).toEqual(Buffer.concat(parts));
      }),
      { numRuns: 40 },
    );
  });

  it.each(kinds)("are an error wherever they are cut off, or if something else follows (%s)", async (kind) => {
    const one = await compressed(text, kind);
    const two = Buffer.concat([one, one]);
    for (let cut = 5; cut < two.length; cut += 3) {
      if (cut !== one.length) await expect(read(two.subarray(0, cut), 10)).rejects.toThrow(/cut off|end of file/);
    }
    await expect(read(Buffer.concat([one, Buffer.from("and more")]))).rejects.toThrow(/header|something else follows/);
    const damaged = Buffer.from(one);
    damaged[12]! ^= 0xff;
    await expect(read(damaged)).rejects.toThrow();
  });

  it.runIf(zstdCompressSync !== undefined)(
    "may be zstd of all kinds: large, checked, with frames to skip",
    async () => {
      const large = Buffer.alloc(400_000, "a long text about little ");
      const { ZSTD_c_checksumFlag: checksum, ZSTD_c_contentSizeFlag: size } = zlib.constants as unknown as Record<
        string,
        number
      >;
      const skipped = Buffer.concat([Uint8Array.of(0x5e, 0x2a, 0x4d, 0x18, 200, 0, 0, 0), Buffer.alloc(200, 0x28)]);
      const frames = [
        zstdCompressSync!(large, { params: { [checksum!]: 1 } }),
        skipped,
        zstdCompressSync!(text, { params: { [size!]: 0 } }),
        zstdCompressSync!(Buffer.alloc(0)),
        zstdCompressSync!(Buffer.alloc(300_000, "x")),
      ];
      const expected = Buffer.concat([large, text, Buffer.alloc(300_000, "x")]);
      for (const length of [1, 999, 1e6])
        expect((await read(Buffer.concat(frames), length)).equals(expected)).toBe(true);
    },
  );

  it.runIf(zstdCompressSync === undefined)("say that zstd needs a later Node, where it does", async () => {
    const message = "zstd needs Node 22.15, 23.8 or later; this is v";
    await expect(read(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0))).rejects.toThrow(message);
    expect(() => compressionFor("a.zst")).toThrow(message);
  });

  it("are written compressed to names that say so", () => {
    expect(["a.jsonl", "a.gz.jsonl", "gz", "a.jsonl.gz", "A.GZ"].map(compressionFor)).toEqual([
      ...[undefined, undefined, undefined],
      ...["gzip", "gzip"],
    ]);
    if (zstdCompressSync) expect(compressionFor("a.zst")).toBe("zstd");
  });
});
