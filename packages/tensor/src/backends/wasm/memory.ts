import { DeviceError } from "../../errors.ts";
import { HEAP } from "./abi.ts";
import { limitedAddressSpace, whyNoMemory } from "./address-space.ts";
import { Allocator, type Block } from "./allocator.ts";

const PAGE = 65536;
/** Memory is asked for in steps of this many bytes: addresses only, nothing is resident before it is written. */
const GROWTH = 64 * 2 ** 20;
/** The most that a memory may grow to: 4 GiB, or less where the engine has no addresses for it (some phones, `ulimit -v`). */
const MAXIMUM_PAGES = [65536, 32768, 16384, 8192, 4096, 2048];

/** Bytes in use from which dead tensors are looked for, and again whenever so many more are. */
const PRESSURE_FROM = 2 ** 30;
const PRESSURE_STEP = 2 ** 28;
/** More than V8 lets a program take outside its heap without a collection. */
const COLLECTION_HINT = 2 ** 28;

/** The one shared memory of a wasm backend. */
export class WasmMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #maximumPages: number;
  readonly #allocator: Allocator;
  #buffer: ArrayBufferLike;
  /** Use above this asks for a collection. */
  #pressure = PRESSURE_FROM;
  #asked = false;
  /** Whether the last attempt to grow was refused by the engine, below the maximum. */
  #refused = false;

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

  /** The most that they used at once. */
  get mostUsed(): number {
    return this.#allocator.mostUsed;
  }

  /** Throws {@link DeviceError} when the memory cannot hold it. */
  allocate(bytes: number): Block {
    const block = this.#allocator.allocate(bytes);
    if (!block) throw this.#exhausted(bytes);
    if (this.used > this.#pressure) this.#askForCollection();
    return block;
  }

  /** Whether a collection was asked for since the last time this was read: then whoever may wait should let finalizers run. */
  takePressure(): boolean {
    const asked = this.#asked;
    this.#asked = false;
    return asked;
  }

  /**
   * The engine does not see this memory, and so sees no reason to collect the small objects that hold it. An array that it does
   * see, dropped at once and never written to, gives it one (tried on V8 and SpiderMonkey); finalizers then give the memory
   * back, when the program next lets the event loop run.
   */
  #askForCollection(): void {
    this.#pressure = this.used + PRESSURE_STEP;
    this.#asked = true;
    try {
      new ArrayBuffer(COLLECTION_HINT);
    } catch {
      // It was but a hint.
    }
  }

  #exhausted(bytes: number): DeviceError {
    const most = this.#refused
      ? `${mebibytes(this.#buffer.byteLength)}, beyond which the system gives none (memory is full, or ulimit -v too low)`
      : `${mebibytes(this.#maximumPages * PAGE)} (the most a WebAssembly memory holds)`;
    return new DeviceError(
      "wasm",
      `out of memory: ${mebibytes(bytes)} asked for, ${mebibytes(this.used)} in use of at most ${most}. ` +
        "Tensors that nobody uses any more are " +
        "freed only while a program awaits; free them yourself, with tidy or using:\n" +
        "    const y = tidy(() => x.mul(0.999).add(0.001)); // frees what was made on the way\n" +
        "    x.dispose(); // or: using x = …",
    );
  }

  release(block: Block): void {
    this.#allocator.release(block);
    this.#pressure = Math.max(PRESSURE_FROM, Math.min(this.#pressure, this.used + PRESSURE_STEP));
  }

  #grow(end: number): boolean {
    const size = this.#buffer.byteLength;
    if (end <= size) return true;
    const limit = this.#maximumPages * PAGE;
    this.#refused = false;
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
    this.#refused = true;
    return false;
  }
}

/** Reserves addresses, as many as there are. */
function reserve(): { memory: WebAssembly.Memory; maximumPages: number } {
  let cause: unknown;
  for (const maximumPages of MAXIMUM_PAGES) {
    try {
      const memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages, shared: true });
      // V8 may have reserved less than the maximum, down to the initial pages, and not told.
      memory.grow(GROWTH / PAGE);
      return { memory, maximumPages };
    } catch (error) {
      cause = error;
    }
  }
  throw new DeviceError("wasm", whyNoMemory(limitedAddressSpace(), cause), { cause });
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
