import type { IntegerScheme } from "@gpt2-ts/tensor";
import { ModelFormatError } from "../../errors.ts";
import type { Weight } from "../../model/weights.ts";
import { groupAxis, scalesShape } from "../quantization.ts";
import type { StoredWeights } from "../stored-weights.ts";
import { elementsOf } from "../tensors.ts";

/** Elements that exist as float32 at once. */
const PIECE = 2 ** 20;

/** A matrix of a checkpoint. */
export interface StoredMatrix {
  readonly weights: StoredWeights;
  readonly weight: Weight;
  readonly signal: AbortSignal | undefined;
}

/** A matrix's rows as float32, a whole number of groups at a time, except for the last piece. */
async function* piecesOf({ weights, weight, signal }: StoredMatrix, group: number) {
  const [rows, columns] = weight.shape as readonly [number, number];
  const atOnce = Math.max(1, Math.floor(PIECE / columns / group)) * group;
  for (let first = 0; first < rows; first += atOnce) {
    signal?.throwIfAborted();
    const floats = new Float32Array(Math.min(atOnce, rows - first) * columns);
    await weights.readFloats(weight, floats, first);
    yield { first, floats };
  }
}

/** Elements of 16 bits, as the file has them. */
export async function encodeMatrix(
  matrix: StoredMatrix,
  encode: (elements: Float32Array) => Uint16Array,
): Promise<Uint16Array> {
  const encoded = new Uint16Array(elementsOf(matrix.weight.shape));
  for await (const { first, floats } of piecesOf(matrix, matrix.weights.integers?.group ?? 1)) {
    encoded.set(encode(floats), first * matrix.weight.shape[1]!);
  }
  return encoded;
}

/** Integers and scales, as matrices of the tensor package keep them. */
export async function quantizeMatrix(
  matrix: StoredMatrix,
  scheme: IntegerScheme,
): Promise<{ integers: Int8Array; scales: Float32Array }> {
  const { group: most, quantize } = scheme;
  const { weights, weight } = matrix;
  const [, columns] = weight.shape as readonly [number, number];
  const integers = new Int8Array(elementsOf(weight.shape));
  const scales = new Float32Array(elementsOf(scalesShape(weight, scheme)));
  const alongRows = groupAxis(weight) === 1;
  const group = new Float32Array(most);
  const quantized = new Int8Array(most);
  let scale = 0;
  /** Takes `count` elements, `step` apart, as a group. */
  const take = (floats: Float32Array, from: number, count: number, step: number, to: number): void => {
    for (let i = 0; i < count; i++) group[i] = floats[from + i * step]!;
    const found = quantize(group.subarray(0, count), quantized);
    if (Number.isNaN(found))
      throw new ModelFormatError(weights.path, `tensor ${weight.name} has weights that are not finite`, weight.name);
    for (let i = 0; i < count; i++) integers[to + i * step] = quantized[i]!;
    scales[scale++] = found;
  };
  for await (const { first, floats } of piecesOf(matrix, most)) {
    const start = first * columns;
    const rows = floats.length / columns;
    if (alongRows) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column += most) {
          const from = row * columns + column;
          take(floats, from, Math.min(most, columns - column), 1, start + from);
        }
      }
    } else {
      for (let row = 0; row < rows; row += most) {
        for (let column = 0; column < columns; column++) {
          const from = row * columns + column;
          take(floats, from, Math.min(most, rows - row), columns, start + from);
        }
      }
    }
  }
  return { integers, scales };
}
