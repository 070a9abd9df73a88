import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { open } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { ensureCheckpoint } from "../src/checkpoint.ts";
import { writeGguf } from "../src/gguf/model-file.ts";
import { float16Bits, quantizeQ8 } from "../src/gguf/q8-0.ts";
import { transpose } from "../src/layout.ts";
import { plainGraph } from "../src/onnx/model-file.ts";
import { quantizeDynamic } from "../src/onnx/quantize.ts";
import { REFERENCE } from "../src/paths.ts";
import { syntheticTokenizer } from "../src/synthetic-tokenizer.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("GGUF files", () => {
  // From reference/gguf_file.py.
  test.each([
    ["f32", "4c66061e35678c4807f7d986a78aac7bf8ef27a3686b8df806bd76159ef200d4"],
    ["q8_0", "7e7d454a706012bc6ad13be162e4e1702766d5fc16c8fc69c6f94e1858d84298"],
  ] as const)("in %s are byte for byte what the Python package gguf writes", async (type, expected) => {
    const path = await writeGguf(await ensureCheckpoint("synthetic-tiny"), type);
    expect(sha256(await readFile(path))).toBe(expected);
  });

  test("a float16 scale is the nearest one, ties to even", () => {
    // From NumPy: np.float16(x).view(np.uint16).
    const known = [
      [0, 0],
      [1, 0x3c00],
      [1 / 3, 0x3555],
      [2 ** -24, 1],
      [2 ** -25, 0],
      [3 * 2 ** -25, 2],
      [2 ** -14 - 2 ** -25, 0x400],
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [2 - 2 ** -12, 0x4000],
      [65_504, 0x7bff],
      [65_519, 0x7bff],
      [65_520, 0x7c00],
    ] as const;
    for (const [value, bits] of known) expect(float16Bits(value), String(value)).toBe(bits);
  });

  test("every value of a Q8_0 block comes back within half a step of its scale", () => {
    const block = fc.float32Array({ minLength: 32, maxLength: 32, noNaN: true, min: -100, max: 100 });
    fc.assert(
      fc.property(block, (values) => {
        const bytes = quantizeQ8(values);
        const scale = Math.max(...values.map(Math.abs)) / 127;
        for (const [i, value] of values.entries()) {
          const whole = new DataView(bytes.buffer).getInt8(2 + i);
          expect(Math.abs(whole * scale - value)).toBeLessThanOrEqual(0.501 * scale);
        }
      }),
    );
  });

  test("a row that is no whole number of blocks is refused", () => {
    expect(() => quantizeQ8(new Float32Array(33))).toThrow(/33 are not whole blocks/);
  });
});

test("the int8 graph is node by node and byte by byte what onnxruntime's quantize_dynamic makes", async () => {
  const expected = JSON.parse(await readFile(join(REFERENCE, "onnx-int8.json"), "utf8"));
  const folder = await ensureCheckpoint("synthetic-tiny");
  await using tensors = await open(join(folder, "model.safetensors"));
  const stored: Uint8Array[] = [];
  const model = await quantizeDynamic(await plainGraph(folder), {
    weightFile: "int8",
    read: async (name) => {
      const values = await tensors.readFloat32(name === "lm_head" ? "wte.weight" : name);
      return name === "lm_head" ? transpose(values, 257, 64) : values;
    },
    append: async (bytes) => stored.push(bytes) - 1,
  });
  const nodes = model.graph.node.map(({ opType, domain, input, output }) => [opType, domain, input, output]);
  const byOutput = (a: unknown[], b: unknown[]): number => (String(a[3]) < String(b[3]) ? -1 : 1);
  expect(nodes.sort(byOutput)).toEqual(expected.nodes.sort(byOutput));
  const weights = model.graph.initializer.flatMap(({ name, dataType, dims, rawData, externalData }) => {
    const file = Object.fromEntries((externalData ?? []).map(({ key, value }) => [key, value]));
    const bytes = file["location"] === "int8" ? stored[Number(file["offset"])] : rawData;
    return bytes === undefined ? [] : [[name, { type: dataType, shape: dims, sha256: sha256(bytes) }]];
  });
  expect(Object.fromEntries(weights)).toEqual(expected.weights);
});

test("the placeholder tokenizer has a text for every id", () => {
  const tokenizer = syntheticTokenizer(50_257);
  expect(tokenizer.tokens([32, 50_256])).toHaveLength(2);
  expect(tokenizer.decodeBytes([50_255]).length).toBe(2);
});
