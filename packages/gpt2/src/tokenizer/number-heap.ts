/** Room for the first numbers; it doubles as they come. */
const FIRST_CAPACITY = 64;

/**
 * A binary heap of numbers, smallest first. Not a `Heap`, because passing numbers to a comparing function allocates each: a
 * word of a megabyte would take three times as long. In a typed array, because an ordinary one cannot grow to the size that a
 * word of 200 megabytes needs (see MAX_TOKENS).
 */
export class NumberHeap {
  #items = new Float64Array(FIRST_CAPACITY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: number): void {
    if (this.#size === this.#items.length) this.#grow();
    const items = this.#items;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (items[parent]! <= item) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  /** Removes and returns the smallest number; the heap must not be empty. */
  pop(): number {
    const items = this.#items;
    const smallest = items[0]!;
    const size = --this.#size;
    const last = items[size]!;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
    return smallest;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#items.length);
    larger.set(this.#items);
    this.#items = larger;
  }
}
