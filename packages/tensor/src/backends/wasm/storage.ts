import { byteSize, type DataOf, type DType, dataOver } from "../../dtype.ts";
import { DeviceError } from "../../errors.ts";
import { type Backend, type PackedMatrix, Storage, type View } from "../backend.ts";
import type { Block } from "./allocator.ts";
import type { WasmEncoding } from "./encodings/encoding.ts";
import type { WasmMemory } from "./memory.ts";
import { panelCount } from "./panels.ts";

/** A packed matrix whose encoding has kernels. */
export interface WasmPackedMatrix extends PackedMatrix {
  readonly encoding: WasmEncoding;
}

/** Memory of a tensor in the shared WebAssembly memory. */
export class WasmStorage<D extends DType = DType> extends Storage<D> {
  /** Address of the first element. */
  readonly pointer: number;
  /** `length` still counts the matrix's own elements. */
  declare readonly packed: WasmPackedMatrix | undefined;
  readonly #memory: WasmMemory;
  readonly #block: Block;
  #data: DataOf[D] | undefined;

  constructor(backend: Backend, memory: WasmMemory, dtype: D, length: number, packed?: WasmPackedMatrix) {
    super(backend, dtype, length, packed);
    this.#memory = memory;
    this.#block = memory.allocate(packed ? bytesOfPanels(packed) : length * byteSize(dtype));
    this.pointer = this.#block.pointer;
  }

  /** The elements, when they lie in logical order. Valid until the storage is freed. */
  get data(): DataOf[D] {
    if (this.packed) throw new DeviceError("wasm", "the elements of a packed matrix do not lie in logical order");
    if (this.#data?.buffer !== this.#memory.buffer) {
      this.#data = dataOver(this.dtype, this.#memory.buffer, this.pointer, this.length);
    }
    return this.#data!;
  }

  protected override free(): void {
    this.#data = undefined;
    this.#memory.release(this.#block);
  }
}

/** A view whose storage is this backend's. */
export interface WasmView<D extends DType = DType> extends View<D> {
  readonly storage: WasmStorage<D>;
}

/** Whether the elements of a view are a packed matrix's, which only the ops that know its layout read as they lie. */
export function isPacked({ storage }: WasmView): boolean {
  return storage.packed !== undefined;
}

function bytesOfPanels({ rows, columns, encoding }: WasmPackedMatrix): number {
  return panelCount(columns) * encoding.panelBytes(rows);
}
