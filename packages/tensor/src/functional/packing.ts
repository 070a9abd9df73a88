import { type Backend, expectEncoding } from "../backends/backend.ts";
import { backendOf, type DeviceChoice } from "../device.ts";
import type { MatrixEncoding } from "../encodings/index.ts";
import { checkOptionNames } from "../options.ts";
import { Tensor } from "../tensor.ts";
import { fillAsync } from "./creation.ts";

/** Elements that exist as float32 at once. */
const PIECE = 2 ** 21;

export interface PackOptions {
  readonly encoding?: MatrixEncoding | undefined;
  /** The default device unless told otherwise. */
  readonly device?: DeviceChoice | Backend | undefined;
}

/**
 * A matrix `[K, N]` as {@link Tensor.pack} makes it, some columns at a time, so that it never exists as float32.
 *
 * @param read fills `data` with the columns from `first` on, one after the other: `[n, K]` row-major, for whichever n
 *   that makes
 * @throws DeviceError on a device that does not have the encoding, or no room
 */
export async function packAsync<K extends number, N extends number>(
  [K, N]: readonly [K, N],
  read: (data: Float32Array, first: number) => Promise<void>,
  options: PackOptions = {},
): Promise<Tensor<[K, N]>> {
  checkOptionNames(options, ["encoding", "device"], "packAsync");
  const { encoding = "f32", device } = options;
  const backend = backendOf(device);
  expectEncoding(backend, encoding);
  const packer = backend.packer?.([K, N], encoding);
  if (packer === undefined) {
    using rows = await fillAsync([N, K], (data) => read(data, 0), { device: backend });
    using columns = rows.transpose();
    return columns.pack(encoding) as Tensor<[K, N]>;
  }
  const matrix = new Tensor<[K, N]>(packer.matrix);
  try {
    const { columnMultiple } = packer;
    const atOnce = Math.max(columnMultiple, Math.floor(PIECE / K / columnMultiple) * columnMultiple);
    for (let first = 0; first < N; first += atOnce) {
      const rows = [Math.min(atOnce, N - first), K] as const;
      using piece = await fillAsync(rows, (data) => read(data, first), { device: backend });
      using columns = piece.transpose();
      packer.write(first, columns);
    }
  } catch (error) {
    matrix.dispose();
    throw error;
  }
  return matrix;
}
