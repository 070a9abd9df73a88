import { type DataOf, type DType, newData } from "../../dtype.ts";
import { type Encoding, encodings, type MatrixEncoding } from "../../encodings/index.ts";
import { DeviceError } from "../../errors.ts";
import {
  type Backend,
  type CpuView,
  expectEncoding,
  FallbackLog,
  type MatrixPacker,
  type Op,
  type PackedMatrix,
  Storage,
  type View,
} from "../backend.ts";
import { wholeView } from "../dispatch.ts";
import { copyIntegers, encodeColumns, quantizeColumns } from "./encode.ts";
import type { IntegerMatrix } from "./integer-product.ts";

class HostStorage<D extends DType> extends Storage<D> {
  readonly data: DataOf[D];
  constructor(backend: Backend, dtype: D, data: DataOf[D], packed?: PackedMatrix) {
    super(backend, dtype, data.length, packed);
    this.data = data;
  }
  protected override free(): void {
    // The garbage collector owns typed arrays.
  }
}

/** Plain loops over typed arrays: slow, short, and the oracle of every other backend. */
class ReferenceBackend implements Backend {
  readonly name = "reference";
  readonly synchronous = true;
  readonly deterministic = true;
  readonly fallbacks = new FallbackLog();
  readonly encodings = Object.keys(encodings) as MatrixEncoding[];

  allocate<D extends DType>(dtype: D, length: number): Storage<D> {
    return new HostStorage(this, dtype, newData(dtype, length));
  }

  upload<D extends DType>(dtype: D, data: DataOf[D]): Storage<D> {
    return new HostStorage(this, dtype, data.slice() as DataOf[D]);
  }

  writable<D extends DType>(storage: Storage<D>): DataOf[D] {
    return (storage as HostStorage<D>).data;
  }

  async read<D extends DType>(storage: Storage<D>): Promise<DataOf[D]> {
    return this.readSync(storage);
  }

  readSync<D extends DType>(storage: Storage<D>): DataOf[D] {
    return (storage as HostStorage<D>).data;
  }

  execute<Params>(op: Op<Params>, inputs: readonly View[], params: Params, outputs: readonly View[]): void {
    op.reference(inputs.map(withData), params, outputs.map(withData));
  }

  pack(matrix: View<"float32">, encoding: MatrixEncoding = "f32"): View<"float32"> {
    expectEncoding(this, encoding);
    if (!encodings[encoding].round) return matrix;
    const packer = this.packer(matrix.shape as [number, number], encoding);
    packer.write(0, matrix);
    return packer.matrix;
  }

  packer(shape: readonly [number, number], encoding: MatrixEncoding): MatrixPacker {
    expectEncoding(this, encoding);
    const { integers: scheme } = encodings[encoding];
    const data = newData("float32", shape[0] * shape[1]);
    const target = { data, width: shape[1] };
    if (scheme) {
      const packed = emptyIntegers(shape, encodings[encoding], scheme.group);
      return {
        matrix: wholeView(new HostStorage(this, "float32", data, packed), shape),
        columnMultiple: 1,
        write: (first, columns) => quantizeColumns(withData(columns), scheme, { packed, target }, first),
        writeIntegers: (first, integers, scales) =>
          copyIntegers(withData(integers), withData(scales), { packed, target }, first),
      };
    }
    // Elements are rounded to what the encoding keeps, and stay float32.
    const packed = { rows: shape[0], columns: shape[1], encoding: encodings.f32 };
    return {
      matrix: wholeView(new HostStorage(this, "float32", data, packed), shape),
      columnMultiple: 1,
      write: (first, columns) => encodeColumns(withData(columns), encodings[encoding], target, first),
      writeIntegers: () => {
        throw new DeviceError("reference", `a matrix of ${encoding} takes no integers`);
      },
    };
  }
}

function emptyIntegers([rows, columns]: readonly [number, number], encoding: Encoding, group: number): IntegerMatrix {
  const scales = new Float32Array(Math.ceil(rows / group) * columns);
  return { rows, columns, encoding, group, integers: new Int8Array(rows * columns), scales };
}

function withData<D extends DType>(view: View<D>): CpuView<D> {
  const { storage, dtype, shape, strides, offset } = view;
  return { storage, dtype, shape, strides, offset, data: (storage as HostStorage<D>).data };
}

/** The reference device. It has no state, so there is one. */
export const referenceBackend: Backend = new ReferenceBackend();
