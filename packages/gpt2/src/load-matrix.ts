import { type Backend, DeviceError, fillAsync, type MatrixEncoding, packAsync, Tensor } from "@gpt2-ts/tensor";
import { scalesShape } from "./quantization.ts";
import type { StoredWeights } from "./stored-weights.ts";

/** Integers of an int8 table that are read at once. */
const PIECE = 2 ** 20;
/** What the first column of a piece is a multiple of. */
const COLUMNS = 8;

/** Where weights come from, where they go, and how they are kept there. */
export interface Destination {
  readonly weights: StoredWeights;
  readonly device: Backend;
  readonly dtype: MatrixEncoding;
  /** Told of every piece that was read. May throw to end the loading. */
  readonly advance: (tensor: string, elements: number) => void;
}

/** A matrix `[inputs, outputs]`, laid out for the device's matmul. */
export async function loadMatrix<In extends number, Out extends number>(
  { weights, device, dtype, advance }: Destination,
  name: string,
  [inputs, outputs]: readonly [In, Out],
): Promise<Tensor<[In, Out]>> {
  if (dtype === "int8" && weights.converted === "int8") {
    const packer = int8Packer(device, [inputs, outputs]);
    const matrix = new Tensor<[In, Out]>(packer.matrix);
    return orDispose(matrix, async () => {
      using integers = await fillAsync([inputs, outputs], (data) => weights.readIntegers(name, data, 0), {
        dtype: "uint8",
        device,
      });
      using scales = await fillAsync(
        scalesShape(name, [inputs, outputs]),
        (data) => weights.readScales(name, data, 0),
        {
          device,
        },
      );
      packer.writeIntegers(0, integers, scales);
      advance(name, matrix.size);
    });
  }
  using matrix = await fillAsync([inputs, outputs], (data) => weights.readFloats(name, data), { device });
  const packed = matrix.pack(dtype) as Tensor<[In, Out]>;
  return orDispose(packed, async () => advance(name, packed.size));
}

/** A table of vectors `[rows, width]`, the columns of a packed matrix: logits are products with the tokens' vectors. */
export async function loadTable<Rows extends number, Width extends number>(
  { weights, device, dtype, advance }: Destination,
  name: string,
  [rows, width]: readonly [Rows, Width],
): Promise<Tensor<[Rows, Width]>> {
  using columns =
    dtype === "int8" && weights.converted === "int8"
      ? await packTable({ weights, device, dtype, advance }, name, [rows, width])
      : await packAsync(
          [width, rows],
          async (data, first) => {
            await weights.readFloats(name, data, first);
            advance(name, data.length);
          },
          { encoding: dtype, device },
        );
  return columns.transpose() as Tensor<[Rows, Width]>;
}

/** The transpose of a table of integers, packed piece by piece. */
async function packTable<Rows extends number, Width extends number>(
  { weights, device, advance }: Destination,
  name: string,
  [rows, width]: readonly [Rows, Width],
): Promise<Tensor<[Width, Rows]>> {
  const packer = int8Packer(device, [width, rows]);
  const matrix = new Tensor<[Width, Rows]>(packer.matrix);
  const atOnce = Math.max(COLUMNS, Math.floor(PIECE / width / COLUMNS) * COLUMNS);
  return orDispose(matrix, async () => {
    for (let first = 0; first < rows; first += atOnce) {
      const shape = [Math.min(atOnce, rows - first), width] as const;
      using integers = await fillAsync(shape, (data) => weights.readIntegers(name, data, first), {
        dtype: "uint8",
        device,
      });
      using scales = await fillAsync(scalesShape(name, shape), (data) => weights.readScales(name, data, first), {
        device,
      });
      using integerColumns = integers.transpose();
      using scaleColumns = scales.transpose();
      packer.writeIntegers(first, integerColumns, scaleColumns);
      advance(name, integers.size);
    }
  });
}

function int8Packer(device: Backend, shape: readonly [number, number]) {
  const packer = device.packer?.(shape, "int8");
  if (packer === undefined) throw new DeviceError(device.name, "it has no int8 matrices");
  return packer;
}

/** The tensor once `fill` is done; if that fails, its memory is given back. */
async function orDispose<T extends Tensor<[number, number]>>(tensor: T, fill: () => Promise<void>): Promise<T> {
  try {
    await fill();
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
}
