import { type DataOf, type DType, newData } from "../../dtype.ts";
import { DeviceError } from "../../errors.ts";
import { type Backend, Storage, type View } from "../backend.ts";
import { type DeviceBuffer, RecordedBuffer } from "./device-buffer.ts";
import type { Launcher, Recorder } from "./launcher.ts";

/** A copy of a storage's elements that the CPU can read, or that is on its way there. */
export interface HostCopy<D extends DType = DType> {
  /** On the inner backend; undefined until it is made. */
  storage: Storage<D> | undefined;
  /** Why there is none. */
  error: DeviceError | undefined;
}

/**
 * Elements on the device as floats, on the CPU in their own type, or both: each copy is made from the other when first
 * needed. int32 and bool are exact on the device up to 2²⁴.
 */
export class GpuStorage<D extends DType = DType> extends Storage<D> {
  readonly #launcher: Launcher;
  readonly #inner: Backend;
  /** What was being recorded when it was made. */
  readonly #recorder: Recorder | undefined;
  #buffer: DeviceBuffer | undefined;
  #host: HostCopy<D> | undefined;

  constructor(backend: Backend, launcher: Launcher, inner: Backend, dtype: D, length: number) {
    super(backend, dtype, length);
    this.#launcher = launcher;
    this.#inner = inner;
    this.#recorder = launcher.recorder;
  }

  /** Whether nothing has been written yet. */
  get empty(): boolean {
    return !this.#buffer && !this.#host;
  }

  /** The elements on the device, uploaded now if they are not there. They belong to the storage: do not free them. */
  get buffer(): DeviceBuffer {
    if (!this.#buffer) {
      this.#buffer = this.#upload();
      this.#dropHost(); // once it was uploaded
    }
    return this.#buffer;
  }

  /** The elements on the device if they are there already. */
  get resident(): DeviceBuffer | undefined {
    return this.#buffer;
  }

  /** The elements on the CPU, read back if they are not there. Filled in when the launcher's queue gets there. */
  get host(): HostCopy<D> {
    this.#host ??= this.#readBack();
    return this.#host;
  }

  /** The elements on the CPU if they are there, or on their way. */
  get hosted(): HostCopy<D> | undefined {
    return this.#host;
  }

  /**
   * Takes a buffer of the storage's length as its new contents, or its own buffer, which was written to.
   * @throws DeviceError when a recorded result would take the place of numbers that exist outside the recording
   */
  put(buffer: DeviceBuffer): void {
    if (buffer instanceof RecordedBuffer && this.#recorder !== this.#launcher.recorder) {
      throw new DeviceError("gpu", "a function being recorded writes into a tensor from outside (copy_)");
    }
    if (buffer !== this.#buffer) this.#dropBuffer();
    this.#dropHost();
    this.#buffer = buffer;
  }

  /** Takes a host copy as its new contents; or, without one, notes that its own copy was written to. */
  putHost(host: HostCopy<D> | undefined = this.#host): void {
    this.#dropBuffer();
    if (host === this.#host) return;
    this.#dropHost();
    this.#host = host;
  }

  protected override free(): void {
    this.#dropBuffer();
    this.#dropHost();
  }

  #upload(): DeviceBuffer {
    const { host } = this;
    return this.#launcher.upload(this.length, `uploading ${this.length} elements`, () => {
      if (host.error) throw host.error;
      return floats(this.#inner.readSync(host.storage!));
    });
  }

  #readBack(): HostCopy<D> {
    const host: HostCopy<D> = { storage: undefined, error: undefined };
    const buffer = this.#buffer;
    const keep = (storage: Storage<D>): void => {
      storage.retain();
      host.storage = storage;
    };
    const fail = (cause: unknown): void => {
      host.error = this.#launcher.error(`reading ${this.length} elements back`, cause);
    };
    this.#launcher.queue.run(() => {
      if (buffer) {
        const reading = this.#launcher.readNow(buffer);
        return reading.then((data) => keep(this.#inner.upload(this.dtype, fromFloats(this.dtype, data)))).catch(fail);
      }
      try {
        keep(this.#inner.allocate(this.dtype, this.length));
      } catch (cause) {
        fail(cause);
      }
      return undefined;
    });
    return host;
  }

  #dropBuffer(): void {
    if (this.#buffer) this.#launcher.free(this.#buffer);
    this.#buffer = undefined;
  }

  #dropHost(): void {
    const host = this.#host;
    this.#host = undefined;
    if (host) this.#launcher.queue.run(() => host.storage?.release());
  }
}

/** A view whose storage is this backend's. */
export interface GpuView<D extends DType = DType> extends View<D> {
  readonly storage: GpuStorage<D>;
}

/** Elements of any type as the device holds them. */
export function floats(data: DataOf[DType]): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** What the device holds as elements of their own type. */
export function fromFloats<D extends DType>(dtype: D, data: Float32Array): DataOf[D] {
  if (dtype === "float32") return data as DataOf[D];
  const elements = newData(dtype, data.length);
  elements.set(data);
  return elements;
}
