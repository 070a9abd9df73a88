/**
 * Hands out the indices of an array by falling value; of equal values, the lower index first. Setting up takes O(n), each index
 * O(log n): far less than sorting when few are wanted.
 *
 * A binary heap in an array (Williams, "Algorithm 232: Heapsort", 1964; built bottom-up after Floyd, 1964).
 */
export class LargestFirst {
  readonly #values: Float64Array;
  readonly #heap: Int32Array;
  #left: number;

  /** The values must not be NaN, nor change. */
  constructor(values: Float64Array) {
    this.#values = values;
    this.#left = values.length;
    this.#heap = new Int32Array(values.length);
    for (let i = 0; i < values.length; i++) this.#heap[i] = i;
    for (let i = (this.#left >> 1) - 1; i >= 0; i--) sink(this.#heap, this.#left, values, i);
  }

  /** The next index, without taking it; undefined when none is left. */
  peek(): number | undefined {
    return this.#left > 0 ? this.#heap[0] : undefined;
  }

  /** Takes the next index; undefined when none is left. */
  next(): number | undefined {
    const top = this.peek();
    if (top === undefined) return undefined;
    this.#heap[0] = this.#heap[--this.#left]!;
    sink(this.#heap, this.#left, this.#values, 0);
    return top;
  }
}

/** Moves the index at `hole` down until nothing below it comes before it. */
function sink(heap: Int32Array, length: number, values: Float64Array, hole: number): void {
  const index = heap[hole]!;
  const value = values[index]!;
  for (let child = 2 * hole + 1; child < length; child = 2 * hole + 1) {
    const right = child + 1;
    if (right < length) {
      const difference = values[heap[right]!]! - values[heap[child]!]!;
      if (difference > 0 || (!(difference < 0) && heap[right]! < heap[child]!)) child = right;
    }
    const difference = values[heap[child]!]! - value;
    if (difference < 0 || (!(difference > 0) && heap[child]! > index)) break;
    heap[hole] = heap[child]!;
    hole = child;
  }
  heap[hole] = index;
}
