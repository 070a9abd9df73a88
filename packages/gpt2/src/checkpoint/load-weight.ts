import {
  type Backend,
  DeviceError,
  fillAsync,
  type IntegerScheme,
  type MatrixEncoding,
  type MatrixPacker,
  packAsync,
  Tensor,
} from "@gpt2-ts/tensor";
import type { Weight } from "../model/weights.ts";
import { scalesShape } from "./quantization.ts";
import type { StoredWeights } from "./stored-weights.ts";

/** Integers of a table that are read at once. */
const PIECE = 2 ** 20;

/** Where weights come from, where they go, and how they are kept there. */
export interface Destination {
  readonly weights: StoredWeights;
  readonly device: Backend;
  readonly dtype: MatrixEncoding;
  /** Whether matrices are to lie row by row, as they can be written to. */
  readonly trainable: boolean;
  /** Called after every piece that was read. May throw, to stop loading. */
  readonly advance: (tensor: string, elements: number) => void;
}

/** A weight as its device keeps it: vectors in float32, matrices laid out for its products, as its dtype says. */
export function loadWeight(weight: Weight, destination: Destination): Promise<Tensor> {
  const [rows, columns] = weight.shape;
  switch (destination.trainable ? "vector" : weight.kind) {
    case "vector":
      return loadPlain(weight, destination);
    case "matrix":
      return loadMatrix(weight, [rows!, columns!], destination);
    case "table":
      return loadTable(weight, [rows!, columns!], destination);
  }
}

async function loadPlain(weight: Weight, { weights, device, advance }: Destination): Promise<Tensor> {
  const tensor = await fillAsync(weight.shape, (data) => weights.readFloats(weight, data), { device });
  return orDispose(tensor, async () => advance(weight.name, tensor.size));
}

/** The scheme of the checkpoint's integers, if they are to stay as they are. */
function keptIntegers({ weights, dtype }: Destination): IntegerScheme | undefined {
  return weights.converted === dtype ? weights.integers : undefined;
}

/** A matrix `[in, out]`. */
async function loadMatrix(weight: Weight, shape: readonly [number, number], destination: Destination): Promise<Tensor> {
  const { weights, device, dtype, advance } = destination;
  const scheme = keptIntegers(destination);
  if (scheme) {
    const packer = packerOf(device, shape, dtype);
    const matrix = new Tensor(packer.matrix);
    return orDispose(matrix, async () => {
      using integers = await fillAsync(shape, (data) => weights.readIntegers(weight, data, 0), {
        dtype: "uint8",
        device,
      });
      using scales = await fillAsync(scalesShape(weight, scheme), (data) => weights.readScales(weight, data, 0), {
        device,
      });
      packer.writeIntegers(0, integers, scales);
      advance(weight.name, matrix.size);
    });
  }
  using matrix = await fillAsync(shape, (data) => weights.readFloats(weight, data), { device });
  const packed: Tensor = matrix.pack(dtype);
  return orDispose(packed, async () => advance(weight.name, packed.size));
}

/** A table of vectors `[rows, width]`, packed as the columns of a matrix: logits are products with the tokens' vectors. */
async function loadTable(
  weight: Weight,
  [rows, width]: readonly [number, number],
  destination: Destination,
): Promise<Tensor> {
  const { weights, device, dtype, advance } = destination;
  const scheme = keptIntegers(destination);
  using columns = scheme
    ? await packTable(weight, [rows, width], scheme, destination)
    : await packAsync(
        [width, rows],
        async (data, first) => {
          await weights.readFloats(weight, data, first);
          advance(weight.name, data.length);
        },
        { encoding: dtype, device },
      );
  return columns.transpose();
}

/** The transpose of a table of integers, packed piece by piece. */
async function packTable(
  weight: Weight,
  [rows, width]: readonly [number, number],
  scheme: IntegerScheme,
  { weights, device, dtype, advance }: Destination,
): Promise<Tensor<[number, number]>> {
  const packer = packerOf(device, [width, rows], dtype);
  const matrix = new Tensor<[number, number]>(packer.matrix);
  const { columnMultiple } = packer;
  const atOnce = Math.max(columnMultiple, Math.floor(PIECE / width / columnMultiple) * columnMultiple);
  return orDispose(matrix, async () => {
    for (let first = 0; first < rows; first += atOnce) {
      const shape = [Math.min(atOnce, rows - first), width] as const;
      using integers = await fillAsync(shape, (data) => weights.readIntegers(weight, data, first), {
        dtype: "uint8",
        device,
      });
      const piece = { ...weight, shape };
      using scales = await fillAsync(scalesShape(piece, scheme), (data) => weights.readScales(weight, data, first), {
        device,
      });
      using integerColumns = integers.transpose();
      using scaleColumns = scales.transpose();
      packer.writeIntegers(first, integerColumns, scaleColumns);
      advance(weight.name, integers.size);
    }
  });
}

function packerOf(device: Backend, shape: readonly [number, number], dtype: MatrixEncoding): MatrixPacker {
  const packer = device.packer?.(shape, dtype);
  if (packer === undefined) throw new DeviceError(device.name, `it packs no ${dtype} matrices piece by piece`);
  return packer;
}

/** The tensor once `fill` is done; if that fails, its memory is freed. */
async function orDispose<T extends Tensor>(tensor: T, fill: () => Promise<void>): Promise<T> {
  try {
    await fill();
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
}
