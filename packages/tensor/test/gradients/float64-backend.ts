import {
  type Backend,
  type CpuView,
  expectEncoding,
  FallbackLog,
  type Op,
  Storage,
  type View,
} from "../../src/backends/backend.ts";
import { type DataOf, type DType, newData } from "../../src/dtype.ts";
import type { MatrixEncoding } from "../../src/encodings/index.ts";

/** What holds each element type here: float64 in the place of float32. */
type Numbers = Float64Array | DataOf["int32" | "uint8" | "bool"];

class Float64Storage<D extends DType> extends Storage<D> {
  readonly data: Numbers;
  readonly #onFree: () => void;

  constructor(backend: Backend, dtype: D, data: Numbers, onFree: () => void) {
    super(backend, dtype, data.length);
    this.data = data;
    this.#onFree = onFree;
  }

  protected override free(): void {
    if (this.dtype === "float32") this.data.fill(Number.NaN); // whoever still reads it shall be found out
    this.#onFree();
  }
}

/**
 * The reference kernels in double precision: what this device calls float32 is kept in float64. Kernels compute in float64 anyway, so
 * that nothing is rounded but numbers handed in as float32, and differences of results can be taken as derivatives. Memory that was
 * not written yet, or was given back, reads as NaN.
 */
export class Float64Backend implements Backend {
  readonly name = "reference";
  readonly synchronous = true;
  readonly deterministic = true;
  readonly fallbacks = new FallbackLog();
  readonly encodings: readonly MatrixEncoding[] = ["f32"];
  #live = 0;

  /** Storages that were made and not given back. */
  get live(): number {
    return this.#live;
  }

  allocate<D extends DType>(dtype: D, length: number): Storage<D> {
    return this.#store(dtype, numbers(dtype, length));
  }

  /** Float64Arrays are taken as they are. */
  upload<D extends DType>(dtype: D, data: DataOf[D]): Storage<D> {
    const copy = numbers(dtype, data.length);
    copy.set(data);
    return this.#store(dtype, copy);
  }

  writable<D extends DType>(storage: Storage<D>): DataOf[D] {
    return elementsOf(storage) as unknown as DataOf[D];
  }

  async read<D extends DType>(storage: Storage<D>): Promise<DataOf[D]> {
    return this.readSync(storage);
  }

  readSync<D extends DType>(storage: Storage<D>): DataOf[D] {
    return elementsOf(storage) as unknown as DataOf[D];
  }

  execute<Params>(op: Op<Params>, inputs: readonly View[], params: Params, outputs: readonly View[]): void {
    op.reference(inputs.map(withData), params, outputs.map(withData));
  }

  pack(matrix: View<"float32">, encoding: MatrixEncoding = "f32"): View<"float32"> {
    expectEncoding(this, encoding);
    return matrix;
  }

  #store<D extends DType>(dtype: D, data: Numbers): Storage<D> {
    this.#live++;
    return new Float64Storage(this, dtype, data, () => {
      this.#live--;
    });
  }
}

/** The elements of a storage of a {@link Float64Backend}, to be read and written. */
export function elementsOf(storage: Storage): Numbers {
  return (storage as Float64Storage<DType>).data;
}

function numbers(dtype: DType, length: number): Numbers {
  return dtype === "float32" ? new Float64Array(length).fill(Number.NaN) : newData(dtype, length);
}

function withData<D extends DType>(view: View<D>): CpuView<D> {
  const { storage, dtype, shape, strides, offset } = view;
  return { storage, dtype, shape, strides, offset, data: elementsOf(storage) as unknown as DataOf[D] };
}
