import type { Backend, Storage, View } from "../backends/backend.ts";
import { newData } from "../dtype.ts";
import { select } from "../ops/views.ts";
import { showShape, sizeOf } from "../shape.ts";
import { Tensor, wrap } from "../tensor.ts";
import type { Adding } from "./rule.ts";
import { areDisjoint, isInjective, isWhole, sameLayout } from "./windows.ts";

/** The gradient by a storage: an element for each of its elements, in the same order. */
interface GradientBuffer {
  storage: Storage<"float32">;
  /** The windows that were written to, while there are others, which are zero; undefined once all of it may be something else. */
  written: View[] | undefined;
  /** Whether the memory is somebody's, so that sums go where it is. */
  readonly fixed: boolean;
}

/**
 * The gradients of storages in the making. A view's gradient is the same window on its storage's, so that views need no rules:
 * what was computed through a transpose or a slice is added where it belongs, and what was stretched (a stride of 0) is summed first.
 */
export class GradientBuffers {
  readonly #buffers = new Map<Storage, GradientBuffer>();

  /** Makes `storage` the place where the gradient by `of` is added up. */
  provide(of: Storage, storage: Storage<"float32">): void {
    storage.retain();
    this.#buffers.set(of, { storage, written: undefined, fixed: true });
  }

  /** The gradient by the elements of a view: the same window on its storage's; undefined if there is none yet. */
  windowOf(view: View): View<"float32"> | undefined {
    const buffer = this.#buffers.get(view.storage);
    return buffer && onto(buffer, view);
  }

  /** As {@link GradientBuffers.windowOf}, of zeros if there was none. */
  windowOrZeros(view: View): View<"float32"> {
    return onto(this.#existing(view.storage), view);
  }

  /** Lets go of the gradient by a storage. */
  release(of: Storage): void {
    this.#buffers.get(of)?.storage.release();
    this.#buffers.delete(of);
  }

  releaseAll(): void {
    for (const { storage } of this.#buffers.values()) storage.release();
    this.#buffers.clear();
  }

  /**
   * Adds to the gradient by a view.
   *
   * @param mayTake whether nobody else uses the memory of `gradient` any more, so that it may become the buffer
   */
  add(view: View, gradient: Tensor | Adding, mayTake: boolean): void {
    if ("addTo" in gradient) {
      const buffer = this.#existing(view.storage);
      using window = new Tensor(onto(buffer, view));
      gradient.addTo(window);
      note(buffer, view);
      return;
    }
    const { shape } = gradient;
    const fits = (axis: number): boolean =>
      shape[axis] === view.shape[axis] || (shape[axis] === 1 && view.strides[axis] === 0);
    if (shape.length !== view.shape.length || !shape.every((_, axis) => fits(axis))) {
      throw new Error(`a gradient of ${showShape(shape)} for an operand of ${showShape(view.shape)}`);
    }
    const stretched = shape.flatMap((size, axis) => (view.strides[axis] === 0 && size > 1 ? [axis] : []));
    if (stretched.length === 0) {
      this.#addReduced({ ...view, shape }, gradient, mayTake);
      return;
    }
    using sum = gradient.sum(stretched, true) as Tensor;
    this.#addReduced({ ...view, shape: sum.shape }, sum, true);
  }

  #addReduced(view: View, gradient: Tensor, mayTake: boolean): void {
    if (sizeOf(view.shape) === 0) return;
    if (!isInjective(view)) {
      this.#addOverlapping(view, gradient);
      return;
    }
    const whole = isWhole(view);
    const buffer = this.#buffers.get(view.storage);
    const takes = mayTake && whole && gradient.storage.length === view.storage.length && sameLayout(view, gradient);
    if (buffer === undefined) {
      if (takes) {
        gradient.storage.retain();
        this.#buffers.set(view.storage, { storage: gradient.storage, written: undefined, fixed: false });
        return;
      }
      const fresh = this.#fresh(view.storage, !whole);
      copyInto(onto(fresh, view), gradient);
      note(fresh, view);
      return;
    }
    const window = onto(buffer, view);
    if (buffer.written?.every((other) => areDisjoint(other, view))) {
      copyInto(window, gradient);
      note(buffer, view);
      return;
    }
    using before = new Tensor(window);
    using sum = before.add(gradient) as Tensor;
    if (whole && !buffer.fixed && sameLayout(view, sum)) {
      sum.storage.retain();
      buffer.storage.release();
      buffer.storage = sum.storage;
      buffer.written = undefined;
      return;
    }
    copyInto(window, sum);
    note(buffer, view);
  }

  /** Adds to a view that shows elements several times, as windows that slide do: one index of its shortest axis after another. */
  #addOverlapping(view: View, gradient: Tensor): void {
    const longerThanOne = view.shape.flatMap((size, axis) => (size > 1 ? [axis] : []));
    const axis = longerThanOne.reduce((least, other) => (view.shape[other]! < view.shape[least]! ? other : least));
    for (let i = 0; i < view.shape[axis]!; i++) {
      using part = wrap(select(gradient, axis, i)) as Tensor;
      this.#addReduced(select(view, axis, i), part, false);
    }
  }

  #existing(of: Storage): GradientBuffer {
    return this.#buffers.get(of) ?? this.#fresh(of, true);
  }

  #fresh(of: Storage, zeroed: boolean): GradientBuffer {
    const { backend, length } = of;
    const storage = zeroed ? zeros(backend, length) : backend.allocate("float32", length);
    storage.retain();
    const buffer: GradientBuffer = { storage, written: [], fixed: false };
    this.#buffers.set(of, buffer);
    return buffer;
  }
}

/** Zeros that nobody retains yet. */
export function zeros(backend: Backend, length: number): Storage<"float32"> {
  const storage = backend.allocate("float32", length);
  const data = backend.writable(storage);
  if (data) {
    data.fill(0);
    return storage;
  }
  storage.retain();
  storage.release();
  return backend.upload("float32", newData("float32", length));
}

function onto({ storage }: GradientBuffer, { shape, strides, offset }: View): View<"float32"> {
  return { storage, dtype: "float32", shape, strides, offset };
}

function note(buffer: GradientBuffer, view: View): void {
  if (isWhole(view)) buffer.written = undefined;
  else buffer.written?.push(view);
}

function copyInto(window: View<"float32">, gradient: Tensor): void {
  using target = new Tensor(window);
  target.copy_(gradient as Tensor<never>);
}
