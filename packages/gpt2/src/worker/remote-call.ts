import type { Reply, Request } from "./protocol.ts";
import { receivedError, type SentError } from "./sent-error.ts";

/** What a call needs of the line that it goes over. */
export interface Line {
  send(request: Request): void;
  /** Told by how much the number of those who wait for a reply changes. */
  waits(change: 1 | -1): void;
  /** Told that no more replies are expected. */
  ends(): void;
}

type Step = IteratorResult<unknown, unknown>;

/** A call to another thread: items, and then a result. */
export class RemoteCall {
  readonly id: number;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #signal: AbortSignal | undefined;
  readonly #line: Line;
  readonly #items: unknown[] = [];
  /** Gives the result, or throws, once it is there. */
  #end: (() => Step) | undefined;
  /** Lets the one who waits look again. */
  #wake: (() => void) | undefined;

  /** @throws `signal.reason` if there is a signal among the options, and it is aborted */
  constructor(id: number, options: unknown, line: Line) {
    this.id = id;
    this.#options = (options ?? {}) as Readonly<Record<string, unknown>>;
    this.#line = line;
    this.#signal = this.#options["signal"] as AbortSignal | undefined;
    this.#signal?.throwIfAborted();
    this.#signal?.addEventListener("abort", this.#abort);
  }

  /**
   * The next item, or the result. At most one may be waited for.
   *
   * @throws what the call threw in its thread; `signal.reason` as soon as it is aborted; what ended the thread
   */
  async next(): Promise<Step> {
    if (!this.#end && this.#items.length === 0) {
      this.#line.waits(1);
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
      this.#line.waits(-1);
    }
    if (this.#items.length === 0) return this.#end!();
    this.send({ type: "more", id: this.id });
    return { done: false, value: this.#items.shift() };
  }

  send(request: Request): void {
    this.#line.send(request);
  }

  receive(reply: Reply): void {
    switch (reply.type) {
      case "item":
        this.#items.push(reply.item);
        this.#wake?.();
        break;
      case "done":
        this.#finish(() => ({ done: true, value: reply.value }));
        break;
      case "failed":
        this.#finish(() => {
          throw receivedError(reply.error as SentError);
        });
        break;
      case "called":
        try {
          (this.#options[reply.option] as (argument: unknown) => void)(reply.argument);
        } catch (error) {
          this.fail(error);
          this.#line.send({ type: "stop", id: this.id });
        }
    }
  }

  /** Tells that one of the items that it is about is wanted no more, unless it has ended. */
  abort(index: number): void {
    if (!this.#end) this.send({ type: "abort", id: this.id, index });
  }

  /** Ends it with an error, whatever the thread may still send. */
  fail(error: unknown): void {
    this.#items.length = 0;
    this.#finish(() => {
      throw error;
    });
  }

  /** Ends it if it has not ended: nobody waits for it any more. */
  stop(): void {
    if (this.#end) return;
    this.#finish(() => ({ done: true, value: undefined }));
    this.#line.send({ type: "stop", id: this.id });
  }

  readonly #abort = (): void => {
    this.fail(this.#signal!.reason);
    this.#line.send({ type: "stop", id: this.id });
  };

  #finish(end: () => Step): void {
    this.#end = end;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#line.ends();
    this.#wake?.();
  }
}
