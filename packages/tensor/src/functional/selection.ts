// Results whose size depends on the elements: they are read first, so these return promises, on every device.
import type { DType } from "../dtype.ts";
import { keep, tidy } from "../memory.ts";
import { expectDType } from "../ops/checks.ts";
import { broadcastShapes, sizeOf } from "../shape.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";
import type { CheckBroadcast, Shape } from "../types/shape-types.ts";
import { fromData } from "./creation.ts";
import { operand } from "./operand.ts";
import { sort } from "./rows.ts";

/** Where the elements are that are not 0, in row-major order: a row of indices for each, `[count, rank]`. */
export async function nonzero<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
): Promise<Tensor<[number, number extends S["length"] ? number : S["length"]], "int32">> {
  const { shape, device } = operand("nonzero", x);
  const places = placesOf(await x.data());
  const rows = new Int32Array(places.length * shape.length);
  places.forEach((place, row) => {
    let rest = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      rows[row * shape.length + axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
  });
  return fromData(rows, [places.length, shape.length], { dtype: "int32", device }) as Tensor<never, "int32">;
}

/** The elements of `x` where `mask` holds, in row-major order; the two broadcast. (NumPy's `x[mask]`.) */
export async function maskedSelect<S extends Shape, D extends DType, M extends Shape>(
  x: Tensor<S, D>,
  mask: Tensor<M, "bool"> & CheckBroadcast<S, M>,
): Promise<Tensor<[number], D>> {
  expectDType("maskedSelect", "mask", mask as AnyTensor, "bool");
  const shape = broadcastShapes("maskedSelect", operand("maskedSelect", x).shape, mask.shape);
  const inOneRow = (wide: AnyTensor) => keep(tidy(() => wide.expand(shape).reshape([sizeOf(shape)])));
  using elements = inOneRow(x as AnyTensor);
  using flags = inOneRow(mask as AnyTensor);
  const places = placesOf(await flags.data());
  using indices = fromData(places, [places.length], { dtype: "int32", device: x.device });
  return elements.gather(0, indices) as Tensor<never, D>;
}

function placesOf(data: ArrayLike<number>): number[] {
  const places: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) places.push(i);
  return places;
}

/** The different elements of a tensor. */
export interface Unique<S extends Shape, D extends DType> {
  /** In ascending order. */
  readonly values: Tensor<[number], D>;
  /** How often each occurs. */
  readonly counts: Tensor<[number], "int32">;
  /** For each element, which of the values it is. */
  readonly inverse: Tensor<S, "int32">;
}

/** The different elements in ascending order, how often each occurs, and which is where. Each NaN is one of its own, as in PyTorch. */
export async function unique<S extends Shape, D extends DType>(x: Tensor<S, D>): Promise<Unique<S, D>> {
  const { dtype, shape, device, size } = operand("unique", x);
  const { values, indices } = tidy(() => {
    const row = (x as AnyTensor).reshape([size]);
    return sort(dtype === "float32" ? row : row.cast("int32"), 0);
  });
  using sorted = keep(values);
  using order = keep(indices);
  const [elements, places] = [await sorted.data(), await order.data()];
  const found: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    if (i === 0 || elements[i] !== elements[i - 1]) {
      found.push(elements[i]!);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[places[i]!] = found.length - 1;
  }
  const vector = (data: number[], of: DType) => fromData(data, [data.length], { dtype: of, device }) as AnyTensor;
  return {
    values: vector(found, dtype) as Tensor<never, D>,
    counts: vector(counts, "int32") as Tensor<never, "int32">,
    inverse: fromData(inverse, shape, { dtype: "int32", device }) as unknown as Tensor<S, "int32">,
  };
}
