import { createHash } from "node:crypto";
import { createWasmBackend } from "@gpt2-ts/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CompressedFormatError, compress, decompress } from "../../src/compress/index.ts";
import { inputsOf, windows } from "../../src/compress/windows.ts";
import { GPT2 } from "../../src/gpt2.ts";
import { loadTokenizer, modelSource } from "../../src/index.ts";
import { randomModel, SHAKESPEARE } from "../support/models.ts";

const SPEECH = `ROMEO:
But, soft! what light through yonder window breaks?
It is the east, and Juliet is the sun.
Arise, fair sun, and kill the envious moon,
Who is already sick and pale with grief,
That thou her maid art far more fair than she.
`;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

let shipped: GPT2;
/** Random weights with a context of 16 tokens: every few words begin a new window. */
let tiny: GPT2;
beforeAll(async () => {
  shipped = await GPT2.load(SHAKESPEARE, { deterministic: true, threads: 1 });
  const device = createWasmBackend({ deterministic: true, threads: 1 });
  const shape = { nLayer: 2, nHead: 2, nEmbd: 8, nPositions: 16, vocabSize: 1024 };
  tiny = new GPT2(randomModel(device, shape), shipped.tokenizer, () => device.dispose());
});
afterAll(() => {
  shipped.dispose();
  tiny.dispose();
});

describe("compress and decompress", () => {
  it("give back any text, and any bytes", async () => {
    const contents = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }).map(utf8),
      fc.uint8Array({ maxLength: 60 }),
      fc.constant(utf8(SPEECH).subarray(0, 100)),
    );
    await fc.assert(
      fc.asyncProperty(contents, async (content) => {
        expect(await decompress(tiny, await compress(tiny, content))).toEqual(content);
      }),
      { numRuns: 20, examples: [[new Uint8Array()], [utf8("\ufeff")], [Uint8Array.of(0xe2, 0x82)]] },
    );
  });

  it("need little more than the model's own estimate", async () => {
    const content = utf8(SPEECH);
    const file = await compress(shipped, content);
    expect(await decompress(shipped, file)).toEqual(content);
    const { startOfText } = shipped.tokenizer;
    const { logLikelihood } = await shipped.score([startOfText!, ...shipped.tokenizer.encode(SPEECH)]);
    const estimate = -logLikelihood / Math.LN2 / 8;
    const header = 26;
    expect(file.length).toBeLessThan(estimate * 1.001 + header + 3);
    expect(file.length).toBeGreaterThan(estimate);
  });

  it("write the same bytes with any number of threads, on every engine", async () => {
    using threads = await GPT2.load(SHAKESPEARE, { deterministic: true, threads: 3 });
    const file = await compress(threads, utf8(SPEECH));
    expect(file).toEqual(await compress(shipped, utf8(SPEECH)));
    expect(createHash("sha256").update(file).digest("hex")).toMatchInlineSnapshot(
      `"6a8d2fa5e4cc7138600f756ae64dbbc1a1a5f707609ea31981229987181b1722"`,
    );
  });

  it("refuse a device whose bits are its own", async () => {
    const device = { ...shipped.device, name: "gpu", deterministic: false } as never;
    const elsewhere = { device, config: shipped.config, tokenizer: shipped.tokenizer } as unknown as GPT2;
    await expect(compress(elsewhere, utf8("a"))).rejects.toThrow(/deterministic: true/);
    await expect(decompress(elsewhere, utf8("a"))).rejects.toThrow(/deterministic: true/);
  });

  it("refuse what is no array of bytes, and unknown options", async () => {
    await expect(compress(tiny, "text" as never)).rejects.toThrow(/expected a Uint8Array, got "text"/);
    await expect(compress(tiny, utf8("a"), { level: 9 } as never)).rejects.toThrow(/level/);
  });

  it("show progress, and stop when asked to", async () => {
    const seen: number[] = [];
    const file = await compress(shipped, utf8(SPEECH), { onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    const controller = new AbortController();
    const stopped = decompress(shipped, file, {
      signal: controller.signal,
      onProgress: ({ done }) => done === 5 && controller.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
    await expect(compress(shipped, utf8(SPEECH), { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
  });
});

describe("a file that was not left as it is", () => {
  let file: Uint8Array;
  beforeAll(async () => {
    file = await compress(tiny, utf8("To be, or not to be, that is the question"));
  });

  it("is a CompressedFormatError wherever it was cut", async () => {
    for (let length = 0; length < file.length; length++) {
      await expect(decompress(tiny, file.subarray(0, length))).rejects.toThrow(CompressedFormatError);
    }
  });

  it("is one whichever bit was changed", async () => {
    for (let bit = 0; bit < 8 * file.length; bit += 3) {
      const changed = file.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await expect(decompress(tiny, changed)).rejects.toThrow(CompressedFormatError);
    }
  });

  it("is one if something was appended, or nothing of it is ours", async () => {
    await expect(decompress(tiny, Uint8Array.of(...file, 0))).rejects.toThrow(/something was appended: it has/);
    await expect(decompress(tiny, utf8("a plain text"))).rejects.toThrow(/does not begin with "gpt2z"/);
  });

  it("is one if another model has made it, and says so", async () => {
    await expect(decompress(shipped, file)).rejects.toThrow(/another model/);
  });
});

describe("windows", () => {
  it("code each token once, after at most a context of inputs", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: 1, max: 20 }), (tokens, nPositions) => {
        const ids = Array.from({ length: tokens }, (_, i) => i);
        const coded: number[] = [];
        for (const window of windows(tokens, nPositions)) {
          const inputs = inputsOf(window, -1, ids);
          const count = window.end - window.first;
          expect(inputs.length).toBeLessThanOrEqual(nPositions);
          // Input i is the token before the one that is coded after it.
          expect(inputs.slice(-count)).toEqual(
            Array.from({ length: count }, (_, i) => (window.seen === 0 && i === 0 ? -1 : window.first + i - 1)),
          );
          coded.push(...ids.slice(window.first, window.end));
        }
        expect(coded).toEqual(ids);
      }),
    );
  });
});

describe("the tokenizer's encodeBytes", () => {
  it("is encode for text, and loses no byte of anything else", async () => {
    const { tokenizer } = shipped;
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(tokenizer.encodeBytes(utf8(text))).toEqual(tokenizer.encode(text));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(tokenizer.decodeBytes(tokenizer.encodeBytes(bytes))).toEqual(bytes);
      }),
    );
    expect(tokenizer.encodeBytes(Uint8Array.of(0xff, 0x61, 0xff)).length).toBe(3);
  });

  it("adds no space before a text", async () => {
    const tokenizer = await loadTokenizer(await modelSource(SHAKESPEARE));
    expect(tokenizer.encodeBytes(utf8("<|endoftext|>")).length).toBeGreaterThan(1);
  });
});
