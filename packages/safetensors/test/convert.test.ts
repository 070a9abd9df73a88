import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { DTYPES, type Dtype, parse, serialize } from "safetensors-ts";
import { describe, expect, test } from "vitest";
import { errorOf } from "./support/error.ts";

const expected: Readonly<Record<"f16" | "bf16" | "f64" | "f64AsF32", string>> = JSON.parse(
  readFileSync(new URL("fixtures/conversions.json", import.meta.url), "utf8"),
);

/** SHA-256 of the bit patterns, with one pattern for NaN, as in make_fixtures.py. */
function digest(values: Float32Array<ArrayBuffer>): string {
  const bits = new Uint32Array(values.buffer);
  const canonical = bits.map((pattern, i) => (Number.isNaN(values[i]) ? 0x7fc00000 : pattern));
  return createHash("sha256").update(canonical).digest("hex");
}

const everyPattern = Uint16Array.from({ length: 2 ** 16 }, (_, pattern) => pattern);

async function readAs(dtype: Dtype, shape: number[], data: ArrayBufferView): Promise<Float32Array<ArrayBuffer>> {
  return parse(serialize({ x: { dtype, shape, data } })).readFloat32("x");
}

describe("conversion to float32", () => {
  test("of all 65,536 float16 agrees with NumPy bit for bit", async () => {
    expect(digest(await readAs("F16", [2 ** 16], everyPattern))).toBe(expected.f16);
  });

  test("of all 65,536 bfloat16 agrees with PyTorch bit for bit", async () => {
    expect(digest(await readAs("BF16", [2 ** 16], everyPattern))).toBe(expected.bf16);
  });

  test("of float64 rounds as NumPy does, halfway cases, subnormals and overflow included", async () => {
    const data = Buffer.from(expected.f64, "hex");
    const floats = await readAs("F64", [data.byteLength / 8], data);
    expect(Buffer.from(floats.buffer).toString("hex")).toBe(expected.f64AsF32);
  });

  test("of float32 keeps every bit, of NaN too", async () => {
    const bits = Uint32Array.of(0x3f800000, 0x80000000, 0x7f800001, 0xffc12345, 1);
    const floats = await readAs("F32", [5], new Uint8Array(bits.buffer));
    expect([...new Uint32Array(floats.buffer)]).toEqual([...bits]);
  });

  test("works across the pieces in which big tensors are read", async () => {
    const data = Uint16Array.from({ length: 2 ** 20 + 12_345 }, (_, i) => i * 7);
    const floats = await readAs("BF16", [data.length], data);
    const bits = new Uint32Array(floats.buffer);
    expect(bits.length).toBe(data.length);
    expect(bits.every((pattern, i) => pattern === data[i]! * 2 ** 16)).toBe(true);
  });

  test.each(DTYPES.filter((dtype) => !["F16", "BF16", "F32", "F64"].includes(dtype)))(
    "of %s is refused",
    async (dtype) => {
      const file = parse(serialize({ x: { dtype, shape: [0], data: new Uint8Array(0) } }));
      const error = await errorOf(() => file.readFloat32("x"));
      expect([error.code, error.tensor]).toEqual(["unsupported-conversion", "x"]);
      expect((await errorOf(() => file.readFloat32Into("x", new Float32Array(0)))).code).toBe("unsupported-conversion");
    },
  );
});
