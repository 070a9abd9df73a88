/** Times a pass: its ops, and the copies of its results. */
import {
  type NameOf,
  type OpTime,
  Profiler,
  type Shape,
  startObserving,
  type Tensor,
  TO_JAVASCRIPT,
} from "@gpt2-ts/tensor";
import { ReadBuffers } from "../engines/read-buffers.ts";

export class Recorder {
  readonly #profiler: Profiler;
  readonly #buffers = new ReadBuffers();
  /** Ends the recording. */
  readonly stop: () => void;

  constructor(nameOf: NameOf) {
    this.#profiler = new Profiler(nameOf);
    this.stop = startObserving(this.#profiler);
  }

  /** The elements of a pass's result, the copy timed as if it were an op. */
  async read(tensor: Tensor<Shape>): Promise<Float32Array> {
    const start = performance.now();
    const data = await tensor.data(this.#buffers.ofLength(tensor.size));
    const copy = { op: TO_JAVASCRIPT, inputs: [tensor], params: undefined, outputs: [tensor] };
    this.#profiler.add(copy, performance.now() - start);
    return data;
  }

  /** The ops since it was last asked. */
  take(): OpTime[] {
    return this.#profiler.take();
  }
}
