import { DisposedError } from "@gpt2-ts/tensor/errors";
import { yieldToEventLoop } from "@gpt2-ts/tensor/event-loop";
import { type Call, type Reply, ROOM } from "./protocol.ts";
import { RemoteCall } from "./remote-call.ts";
import { portOf, type ThreadPort, type WorkerLike } from "./thread-port.ts";

/** Characters and ids of one message: about a millisecond for either thread. */
const LENGTH_PER_MESSAGE = 2 ** 17;

/** One of many texts, or what is to be done with one. */
type Item = string | readonly number[] | { readonly prompt: string | readonly number[] };

/** What a call is about: what can be sent in one message, or many items. */
type Subject = { readonly subject: unknown } | { readonly subjects: readonly Item[] };

/** The calls to a worker. It keeps a Node process alive only while someone waits for one of them. */
export class Calls {
  readonly #worker: WorkerLike;
  readonly #port: ThreadPort;
  readonly #open = new Map<number, RemoteCall>();
  #latest = 0;
  #awaited = 0;
  #end: Error | undefined;

  #last: number | undefined;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    this.#port = portOf(worker);
    this.#port.listen(
      (message) => {
        const reply = message as Reply;
        this.#open.get(reply.id)?.receive(reply);
        if (reply.id === this.#last && (reply.type === "done" || reply.type === "failed")) this.end();
      },
      (error) => this.end(error),
    );
    this.#keepAlive(0);
  }

  /**
   * Begins a call. What comes of it comes by its `next`; whoever wants no more of it calls its `stop`.
   *
   * @throws what the worker ended by; `signal.reason` when aborted; TypeError for what cannot be sent, such as a Blob of `fs.openAsBlob`
   */
  async begin(method: string, about: Subject, options: unknown): Promise<RemoteCall> {
    if (this.#end) throw this.#end;
    const id = ++this.#latest;
    const call = new RemoteCall(id, options, {
      send: (request) => this.#port.send(request),
      waits: (count) => this.#keepAlive(count),
      ends: () => this.#open.delete(id),
    });
    this.#open.set(id, call);
    try {
      const brought = "subjects" in about;
      if (brought) await this.#bring(call, about.subjects);
      const subject = brought ? undefined : about.subject;
      call.send({
        type: "call",
        id,
        call: { method, subject, brought, ...withoutFunctions(options), room: ROOM },
      });
      return call;
    } catch (cause) {
      call.stop();
      throw new TypeError(`${method}: this cannot be sent to a worker (${(cause as Error).message})`, { cause });
    }
  }

  /** The result of a call that yields nothing. */
  async result(method: string, subject: unknown, options: unknown): Promise<unknown> {
    const call = await this.begin(method, { subject }, options);
    return (await call.next()).value;
  }

  /** Ends the worker, and with this error all that waits for it, now and later. */
  end(error: Error = new DisposedError()): void {
    if (this.#end) return;
    this.#end = error;
    for (const call of [...this.#open.values()]) call.fail(error);
    this.#worker.terminate();
  }

  /** Ends the worker when it is done with the latest call, which was aborted: a download keeps what came when it closes its file. */
  endAfterLatest(): void {
    this.#last = this.#latest;
  }

  /** Sends items a few at a time, so that neither thread is held by a long message. */
  async #bring(call: RemoteCall, items: readonly Item[]): Promise<void> {
    let length = 0;
    let first = 0;
    for (const [i, item] of items.entries()) {
      length += (typeof item === "object" && "prompt" in item ? item.prompt : item).length + 1;
      if (length < LENGTH_PER_MESSAGE && i < items.length - 1) continue;
      call.send({ type: "bring", id: call.id, items: items.slice(first, i + 1) });
      await yieldToEventLoop();
      first = i + 1;
      length = 0;
    }
  }

  #keepAlive(change: number): void {
    this.#awaited += change;
    const { ref, unref } = this.#worker as { ref?(): void; unref?(): void };
    if (this.#awaited > 0) ref?.call(this.#worker);
    else unref?.call(this.#worker);
  }
}

/** Options as they can be sent: without functions and the signal, which stay here. */
function withoutFunctions(options: unknown): Pick<Call, "options" | "functions"> {
  if (typeof options !== "object" || options === null) return { options, functions: [] };
  const entries = Object.entries(options).filter(([option]) => option !== "signal");
  return {
    options: Object.fromEntries(entries.filter(([, value]) => typeof value !== "function")),
    functions: entries.filter(([, value]) => typeof value === "function").map(([option]) => option),
  };
}
