import { runInNewContext } from "node:vm";
import { open, serialize } from "safetensors-ts";
import { expect, test } from "vitest";

/** Evaluates in another realm (as Jest and `vm` have them), whose constructors are not ours. */
const elsewhere = <T>(code: string, globals: object = {}): T => runInNewContext(code, globals) as T;

test("values of another realm are taken for what they are, to write and to read", async () => {
  const inputs = elsewhere<Map<string, never>>(
    'new Map([["a", { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }], ["b", { dtype: "I64", shape: [1], data: BigInt64Array.of(3n) }]])',
  );
  const bytes = await serialize(inputs);
  const copies = ["bytes", "bytes.buffer", "new DataView(bytes.buffer)"].map((what) =>
    elsewhere<Uint8Array>(`const bytes = Uint8Array.from(data); ${what}`, { data: bytes }),
  );
  for (const copy of copies) {
    await using file = await open(copy);
    expect(Array.from((await file.read("a")).data as Float32Array)).toEqual([1, 2]);
    expect(Array.from((await file.read("b")).data as BigInt64Array)).toEqual([3n]);
  }
});

test("a typed array of another realm that does not hold the dtype is refused, as one of ours is", async () => {
  const data = elsewhere<Float64Array>("Float64Array.of(1)");
  const inputs = { a: { dtype: "F32", shape: [2], data } } as const;
  await expect((async () => serialize(inputs))()).rejects.toThrow("a Float64Array does not hold F32");
});
