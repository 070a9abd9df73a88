/** Sizes and addresses are multiples of this: a cache line, which also keeps vectors aligned. */
const ALIGNMENT = 64;

/** A piece of memory: in use, or free. */
export interface Block {
  readonly pointer: number;
  /** Bytes, at least those asked for. */
  readonly bytes: number;
}

interface Node {
  pointer: number;
  bytes: number;
  free: boolean;
  /** Neighbours in memory. */
  before: Node | undefined;
  after: Node | undefined;
}

/**
 * Best fit with immediate coalescing over one growing range of addresses. Free blocks are kept sorted by size, then
 * address, and found by binary search; of equal sizes the lowest address wins, so a program that repeats its steps gets
 * the same addresses again and memory stops growing.
 */
export class Allocator {
  readonly #free: Node[] = [];
  readonly #start: number;
  readonly #grow: (end: number) => boolean;
  #last: Node | undefined;
  #used = 0;
  #mostUsed = 0;

  /** @param grow Makes addresses below `end` usable; false when there are no more. */
  constructor(start: number, grow: (end: number) => boolean) {
    this.#start = start;
    this.#grow = grow;
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used;
  }

  /** The most bytes that were in use at once. */
  get mostUsed(): number {
    return this.#mostUsed;
  }

  /** End of the addresses managed so far. */
  get end(): number {
    return this.#last ? this.#last.pointer + this.#last.bytes : this.#start;
  }

  /** Free pieces between the blocks in use, and after them. */
  get freeBlocks(): readonly Block[] {
    return this.#free.map(({ pointer, bytes }) => ({ pointer, bytes }));
  }

  /** A block of at least `size` bytes, or undefined when memory is exhausted. */
  allocate(size: number): Block | undefined {
    const bytes = Math.max(ALIGNMENT, Math.ceil(size / ALIGNMENT) * ALIGNMENT);
    const found = this.#free[this.#search(bytes, 0)] ?? this.#extend(bytes);
    if (!found) return undefined;
    this.#removeFree(found);
    found.free = false;
    if (found.bytes > bytes) {
      const rest: Node = {
        pointer: found.pointer + bytes,
        bytes: found.bytes - bytes,
        free: true,
        before: found,
        after: found.after,
      };
      if (rest.after) rest.after.before = rest;
      else this.#last = rest;
      found.after = rest;
      found.bytes = bytes;
      this.#addFree(rest);
    }
    this.#used += bytes;
    this.#mostUsed = Math.max(this.#mostUsed, this.#used);
    return found;
  }

  /** Takes a block back and joins it with free neighbours. */
  release(block: Block): void {
    let node = block as Node;
    if (node.free) throw new Error(`block at ${node.pointer} was released twice`);
    this.#used -= node.bytes;
    node.free = true;
    if (node.after?.free) {
      this.#removeFree(node.after);
      this.#join(node, node.after);
    }
    if (node.before?.free) {
      const before = node.before;
      this.#removeFree(before);
      // The block must stay marked as free, so its own node is what is left out of the list.
      this.#join(before, node);
      node = before;
    }
    this.#addFree(node);
  }

  #join(first: Node, second: Node): void {
    first.bytes += second.bytes;
    first.after = second.after;
    if (second.after) second.after.before = first;
    else this.#last = first;
  }

  /** A free block of at least `bytes` at the end, by growing the range. */
  #extend(bytes: number): Node | undefined {
    const last = this.#last;
    const pointer = last?.free ? last.pointer : this.end;
    if (!this.#grow(pointer + bytes)) return undefined;
    if (last?.free) {
      this.#removeFree(last);
      last.bytes = bytes;
      this.#addFree(last);
      return last;
    }
    const node: Node = { pointer, bytes, free: true, before: last, after: undefined };
    if (last) last.after = node;
    this.#last = node;
    this.#addFree(node);
    return node;
  }

  /** Index of the first free block not smaller than (bytes, pointer). */
  #search(bytes: number, pointer: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const node = this.#free[middle]!;
      if (node.bytes < bytes || (node.bytes === bytes && node.pointer < pointer)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #addFree(node: Node): void {
    this.#free.splice(this.#search(node.bytes, node.pointer), 0, node);
  }

  #removeFree(node: Node): void {
    this.#free.splice(this.#search(node.bytes, node.pointer), 1);
  }
}
