import { DeviceError } from "../../errors.ts";
import { HEAP } from "./abi.ts";
import { Allocator, type Block } from "./allocator.ts";

const PAGE = 65536;
/** Memory is asked for in steps of this many bytes: addresses only, nothing is resident before it is written. */
const GROWTH = 64 * 2 ** 20;

/** The one shared memory of a wasm backend. */
export class WasmMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #maximumPages: number;
  readonly #allocator: Allocator;
  #buffer: ArrayBufferLike;

  constructor() {
    const { memory, maximumPages } = reserve();
    this.#memory = memory;
    this.#maximumPages = maximumPages;
    this.#buffer = memory.buffer;
    this.#allocator = new Allocator(HEAP, (end) => this.#grow(end));
  }

  /** The `WebAssembly.Memory`, for instances of the kernels. */
  get memory(): object {
    return this.#memory;
  }

  /** The memory as it is now. Changes when it grows; older buffers stay valid for the addresses they cover. */
  get buffer(): ArrayBufferLike {
    return this.#buffer;
  }

  /** Bytes that tensors and scratch use. */
  get used(): number {
    return this.#allocator.used;
  }

  /** Throws {@link DeviceError} when the memory cannot hold it. */
  allocate(bytes: number): Block {
    const block = this.#allocator.allocate(bytes);
    if (block) return block;
    throw new DeviceError(
      "wasm",
      `out of memory: ${mebibytes(bytes)} asked for, ${mebibytes(this.used)} in use of at most ` +
        `${mebibytes(this.#maximumPages * PAGE)} (the most a WebAssembly memory holds)`,
    );
  }

  release(block: Block): void {
    this.#allocator.release(block);
  }

  #grow(end: number): boolean {
    const size = this.#buffer.byteLength;
    if (end <= size) return true;
    const limit = this.#maximumPages * PAGE;
    if (end > limit) return false;
    // First in a comfortable step, then only what is needed.
    for (const target of [Math.min(limit, end + GROWTH), end]) {
      try {
        this.#memory.grow(Math.ceil((target - size) / PAGE));
        this.#buffer = this.#memory.buffer;
        return true;
      } catch {
        // The engine has no more: the smaller step may still fit.
      }
    }
    return false;
  }
}

/** Reserves addresses: 4 GiB where the engine has them, less where it does not (some phones). */
function reserve(): { memory: WebAssembly.Memory; maximumPages: number } {
  let cause: unknown;
  for (const maximumPages of [65536, 32768, 16384]) {
    try {
      const memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages, shared: true });
      return { memory, maximumPages };
    } catch (error) {
      cause = error;
    }
  }
  throw new DeviceError("wasm", "this engine gives no shared WebAssembly memory", { cause });
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
