import type { PieceReader } from "./range.ts";

/** Bytes of a source that will be read, and when: reads of a lower order come first. */
export interface PlannedRange {
  readonly begin: number;
  readonly end: number;
  readonly order: number;
}

/** Requests under way at once. */
const REQUESTS = 4;
/** Bytes of one request: enough that a round trip costs little beside them. */
const BLOCK_BYTES = 8 * 2 ** 20;
/** Bytes between two ranges that are sooner read along than left out. */
const GAP_BYTES = 256 * 2 ** 10;
/** Bytes held for reads to come. A block that a reader waits for is loaded in any case, so one more may exist for a reader. */
const HELD_BYTES = 56 * 2 ** 20;

/** How a source's bytes are requested. */
export interface BlockSource {
  open(position: number, length: number): PieceReader;
  readonly signal: AbortSignal;
}

/** Some bytes of a source, requested at once, kept until each was read. */
interface Block extends PlannedRange {
  readonly source: BlockSource;
  /** Planned bytes that nobody has read. */
  unread: number;
  bytes: Uint8Array | undefined;
  arrived: number;
  state: "waiting" | "loading" | "loaded" | "done";
  error: unknown;
  /** Called when more has arrived. */
  wake: (() => void)[];
}

/**
 * Requests what will be read before it is read: neighbouring ranges in one request of several MiB, a few requests at once, and
 * never more than about 64 MiB that wait for their reader. One may serve several sources.
 */
export class ReadAhead {
  readonly #waiting: Block[] = [];
  #requests = 0;
  #held = 0;

  /** Plans reads of a source. */
  plan(source: BlockSource, ranges: readonly PlannedRange[]): PlannedReads {
    const blocks = cutIntoBlocks(source, ranges);
    this.#waiting.push(...blocks);
    this.#waiting.sort((a, b) => a.order - b.order || a.begin - b.begin);
    this.#start();
    return {
      read: (position, target) => {
        const block = blocks.find(({ begin, end, state }) => begin <= position && position < end && state !== "done");
        return block === undefined ? 0 : this.#read(block, position - block.begin, target);
      },
      cancel: () => {
        for (const block of blocks) this.#release(block);
      },
    };
  }

  #start(): void {
    while (this.#requests < REQUESTS) {
      const next = this.#waiting[0];
      if (next === undefined || this.#held + next.end - next.begin > HELD_BYTES) return;
      void this.#load(next);
    }
  }

  async #load(block: Block): Promise<void> {
    this.#waiting.splice(this.#waiting.indexOf(block), 1);
    const { source, begin, end } = block;
    block.state = "loading";
    this.#requests++;
    this.#held += end - begin;
    const reader = source.open(begin, end - begin);
    try {
      source.signal.throwIfAborted();
      const bytes = new Uint8Array(end - begin);
      block.bytes = bytes;
      while (block.arrived < bytes.byteLength && block.state === "loading") {
        block.arrived += await reader.some(bytes.subarray(block.arrived));
        wake(block);
      }
    } catch (error) {
      block.error = error;
    } finally {
      reader.close();
      this.#requests--;
      if (block.state === "loading") block.state = "loaded";
      wake(block);
      this.#start();
    }
  }

  /** Copies what there is of the block at `at`, once there is something. Returns how many bytes: 0 if it has none any more. */
  async #read(block: Block, at: number, target: Uint8Array): Promise<number> {
    if (block.state === "waiting") void this.#load(block);
    while (block.arrived <= at && block.state === "loading") {
      await new Promise<void>((resolve) => block.wake.push(resolve));
    }
    if (block.state === "done" || block.bytes === undefined || block.arrived <= at) {
      this.#release(block);
      if (block.error !== undefined) throw block.error;
      return 0;
    }
    const part = block.bytes.subarray(at, Math.min(at + target.byteLength, block.arrived));
    target.set(part);
    block.unread -= part.byteLength;
    if (block.unread <= 0) this.#release(block);
    return part.byteLength;
  }

  #release(block: Block): void {
    if (block.state === "waiting") this.#waiting.splice(this.#waiting.indexOf(block), 1);
    else if (block.state !== "done") this.#held -= block.end - block.begin;
    block.state = "done";
    block.bytes = undefined;
    wake(block);
    this.#start();
  }
}

/** The planned reads of one source. */
export interface PlannedReads {
  /** Fills the target's beginning with bytes from `position` on. Returns how many: 0 if they are not planned, or read already. */
  read(position: number, target: Uint8Array): Promise<number> | 0;
  /** Gives up what nobody has read. */
  cancel(): void;
}

function wake(block: Block): void {
  for (const resume of block.wake.splice(0)) resume();
}

function cutIntoBlocks(source: BlockSource, ranges: readonly PlannedRange[]): Block[] {
  const blocks: Block[] = [];
  for (const range of [...ranges].sort((a, b) => a.begin - b.begin)) {
    let last = blocks.at(-1);
    // What two ranges share is read once.
    let begin = Math.max(range.begin, last?.end ?? 0);
    while (begin < range.end) {
      const joins = last !== undefined && begin - last.end <= GAP_BYTES && begin - last.begin < BLOCK_BYTES;
      const first = joins ? last!.begin : begin;
      const end = Math.min(range.end, first + BLOCK_BYTES);
      const unread = end - begin + (joins ? last!.unread : 0);
      const order = joins ? Math.min(last!.order, range.order) : range.order;
      if (joins) blocks.pop();
      last = {
        source,
        begin: first,
        end,
        order,
        unread,
        bytes: undefined,
        arrived: 0,
        state: "waiting",
        error: undefined,
        wake: [],
      };
      blocks.push(last);
      begin = end;
    }
  }
  return blocks;
}
