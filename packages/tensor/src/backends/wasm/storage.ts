import { byteSize, type DataOf, type DType, dataOver } from "../../dtype.ts";
import { DeviceError } from "../../errors.ts";
import { type Backend, Storage, type View } from "../backend.ts";
import type { Block } from "./allocator.ts";
import type { WasmMemory } from "./memory.ts";
import { type Panels, panelBytes, panelCount } from "./panels.ts";

/** Memory of a tensor in the shared WebAssembly memory. */
export class WasmStorage<D extends DType = DType> extends Storage<D> {
  /** Address of the first element. */
  readonly pointer: number;
  /** Set when the elements are a packed matrix; `length` still counts the matrix's own elements. */
  readonly panels: Panels | undefined;
  readonly #memory: WasmMemory;
  readonly #block: Block;
  #data: DataOf[D] | undefined;

  constructor(backend: Backend, memory: WasmMemory, dtype: D, length: number, panels?: Panels) {
    super(backend, dtype, length, panels !== undefined);
    this.#memory = memory;
    this.#block = memory.allocate(panels ? panelCount(panels.columns) * panelBytes(panels) : length * byteSize(dtype));
    this.pointer = this.#block.pointer;
    this.panels = panels;
  }

  /** The elements, when they lie in logical order. Valid until the storage is freed. */
  get data(): DataOf[D] {
    if (this.panels) throw new DeviceError("wasm", "the elements of a packed matrix do not lie in logical order");
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
