import { bf16 } from "../../encodings/bf16.ts";
import { int8 } from "../../encodings/int8.ts";
import { type VectorEncoding, vectorBytes, vectorEncodingOf } from "../../encodings/vectors.ts";
import type { CpuView, Kernel } from "../backend.ts";

export interface EncodeVectorsParams {
  readonly encoding: VectorEncoding;
}

/**
 * Vectors x [T, H, D] → bytes [T, H, B], each vector by itself, missing numbers of its last 16 bytes 0.
 *
 * `bf16`: the nearest bfloat16 of each number, ties to even. Of 8 numbers, word i holds number i in its lower half and number
 * i + 4 in its upper half.
 *
 * `int8`: m = max |x|, integers nearest(x · (127 / m)), ties to even, and behind them the scale m / 127 in float32: the scheme of
 * int8 weights, of one group.
 */
export const encodeVectorsKernel: Kernel<EncodeVectorsParams> = ([x], { encoding }, [out]) => {
  const [T, H, D] = x!.shape as readonly [number, number, number];
  const vector = new Float32Array(D);
  const integers = new Int8Array(D);
  const size = vectorBytes(encoding, D);
  const bytes = new Uint8Array(size);
  const target = new DataView(bytes.buffer);
  for (let t = 0; t < T; t++) {
    for (let h = 0; h < H; h++) {
      for (let d = 0; d < D; d++) vector[d] = x!.data[at(x!, t, h) + d * x!.strides[2]!]!;
      if (encoding === "bf16") {
        for (const [d, upper] of bf16.file.encode(vector).entries()) target.setUint16(placeOfBf16(d), upper, true);
      } else {
        const scale = int8.integers.quantize(vector, integers);
        for (const [d, integer] of integers.entries()) target.setInt8(d, integer);
        target.setFloat32(size - 4, scale, true);
      }
      const to = at(out!, t, h);
      for (let i = 0; i < size; i++) out!.data[to + i * out!.strides[2]!] = bytes[i]!;
    }
  }
};

/** What was kept of vectors of `D` numbers, `[T, H, D]`. */
export function decodeVectors(view: CpuView, D: number): CpuView<"float32"> {
  const [T, H, size] = view.shape as readonly [number, number, number];
  const encoding = vectorEncodingOf(size, D);
  const bytes = new Uint8Array(size);
  const source = new DataView(bytes.buffer);
  const data = new Float32Array(T * H * D);
  for (let t = 0; t < T; t++) {
    for (let h = 0; h < H; h++) {
      const from = at(view, t, h);
      for (let i = 0; i < size; i++) bytes[i] = view.data[from + i * view.strides[2]!]!;
      const to = (t * H + h) * D;
      if (encoding === "bf16") {
        const bits = new Uint32Array(data.buffer, 4 * to, D);
        for (let d = 0; d < D; d++) bits[d] = source.getUint16(placeOfBf16(d), true) << 16;
      } else {
        const scale = source.getFloat32(size - 4, true);
        for (let d = 0; d < D; d++) data[to + d] = source.getInt8(d) * scale;
      }
    }
  }
  const { storage } = view as CpuView<"float32">;
  return { storage, dtype: "float32", shape: [T, H, D], strides: [H * D, D, 1], offset: 0, data };
}

/** Where the two bytes of number d are. */
function placeOfBf16(d: number): number {
  return (d >> 3) * 16 + (d & 3) * 4 + ((d >> 2) & 1) * 2;
}

/** Element number of `view[t, h, 0]`. */
function at({ offset, strides }: CpuView, t: number, h: number): number {
  return offset + t * strides[0]! + h * strides[1]!;
}
