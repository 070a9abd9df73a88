/** A binary heap. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #goesFirst: (a: T, b: T) => boolean;

  /** @param goesFirst whether a leaves the heap before b */
  constructor(goesFirst: (a: T, b: T) => boolean) {
    this.#goesFirst = goesFirst;
  }

  push(item: T): void {
    const items = this.#items;
    let i = items.length;
    items.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#goesFirst(item, items[parent]!)) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  /** Removes and returns the first item; undefined if there is none. */
  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    const size = items.length;
    if (last === undefined || size === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#goesFirst(items[child + 1]!, items[child]!)) child++;
      if (!this.#goesFirst(items[child]!, last)) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
    return first;
  }
}
