import { describe, expect, test } from "vitest";
import type { Backend, View } from "../src/backends/backend.ts";
import { wholeView } from "../src/backends/dispatch.ts";
import { referenceBackend } from "../src/backends/reference/index.ts";
import { createWasmBackend } from "../src/backends/wasm/index.ts";
import { type Encoding, encodings, type MatrixEncoding } from "../src/encodings/index.ts";
import { DeviceError } from "../src/errors.ts";
import { generator, normals } from "./wasm-kernels/harness.ts";

const wasm = createWasmBackend({ threads: 1 });
const backends: readonly (readonly [string, Backend])[] = [
  ["reference", referenceBackend],
  ["wasm", wasm],
];
const names = Object.keys(encodings) as MatrixEncoding[];

function upload(backend: Backend, data: Float32Array, shape: readonly number[]): View<"float32"> {
  return wholeView(backend.upload("float32", data), shape);
}

describe.each(backends)("%s", (_, backend) => {
  test("refuses an encoding that it does not have, and says which it has", () => {
    const matrix = upload(backend, new Float32Array(64), [8, 8]);
    const wanted = "int4" as MatrixEncoding;
    const message = `${backend.name}: it has no int4 matrices; it has f32, bf16, int8`;
    for (const pack of [() => backend.pack(matrix, wanted), () => backend.packer!([8, 8], wanted)]) {
      expect(pack).toThrow(DeviceError);
      expect(pack).toThrow(message);
    }
  });

  test.each(names)("%s: keeps of a column what the encoding says", (name) => {
    const [rows, columns] = [150, 11];
    const data = normals(rows * columns, generator(7), 3);
    const packed = backend.pack(upload(backend, data, [rows, columns]), name);
    const kept = backend.readSync(packed.storage);
    for (let j = 0; j < columns; j++) {
      const column = Float32Array.from({ length: rows }, (_, i) => data[i * columns + j]!);
      const { round }: Encoding = encodings[name];
      round?.(column);
      expect(Float32Array.from({ length: rows }, (_, i) => kept[i * columns + j]!)).toEqual(column);
    }
  });

  test.each(names)("%s: takes integers only if its elements are integers times scales", (name) => {
    const { writeIntegers } = backend.packer!([64, 8], name);
    const integers = wholeView(backend.upload("uint8", new Uint8Array(512).fill(255)), [64, 8]);
    const scales = upload(backend, new Float32Array(8).fill(0.5), [1, 8]);
    const write = () => writeIntegers(0, integers, scales);
    const { integers: scheme }: Encoding = encodings[name];
    if (scheme) expect(write).not.toThrow();
    else expect(write).toThrow(`${backend.name}: a matrix of ${name} takes no integers`);
  });
});

test.each(names)("%s: a matrix takes the memory that the encoding says", (name) => {
  const [rows, columns] = [256, 64];
  const before = wasm.info().usedBytes;
  const { matrix: packed } = wasm.packer([rows, columns], name);
  expect(wasm.info().usedBytes - before).toBe(encodings[name].deviceBytes(rows, columns));
  expect(packed.storage.packed).toMatchObject({ rows, columns, encoding: { name } });
});
