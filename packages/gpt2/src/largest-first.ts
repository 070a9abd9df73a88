/**
 * Hands out the indices of an array by falling value, of equal values the lower index first. Setting up takes time
 * proportional to the array, each index its logarithm: far less than a sort when few are wanted.
 *
 * A binary heap in an array (Williams, "Algorithm 232: Heapsort", 1964; built bottom-up after Floyd, 1964).
 */
export class LargestFirst {
  readonly #values: ArrayLike<number>;
  readonly #heap: Int32Array;
  #left: number;

  /** The values must not be NaN, nor change. */
  constructor(values: ArrayLike<number>) {
    this.#values = values;
    this.#left = values.length;
    this.#heap = new Int32Array(values.length).map((_, i) => i);
    for (let i = (this.#left >> 1) - 1; i >= 0; i--) this.#sink(i);
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
    this.#sink(0);
    return top;
  }

  /** Moves the index at `hole` down to where nothing below it comes before it. */
  #sink(hole: number): void {
    const heap = this.#heap;
    const index = heap[hole]!;
    for (let child = 2 * hole + 1; child < this.#left; child = 2 * hole + 1) {
      if (child + 1 < this.#left && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, index)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = index;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#values[a]! - this.#values[b]!;
    return difference > 0 || (!(difference < 0) && a < b);
  }
}
