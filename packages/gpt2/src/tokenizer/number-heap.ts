/**
 * A binary heap of numbers, smallest first. Not a `Heap`, because passing numbers to a comparing function allocates each: a
 * word of a megabyte would take three times as long.
 */
export class NumberHeap {
  readonly #items: number[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: number): void {
    const items = this.#items;
    let i = items.length;
    items.push(item);
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
    const last = items.pop()!;
    const size = items.length;
    if (size === 0) return smallest;
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
}
