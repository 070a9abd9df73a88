import { Worker } from "node:worker_threads";
import { OptionError } from "@gpt2-ts/gpt2";
import type {
  ChoiceEvent,
  Load,
  LoadedModel,
  Reply,
  Request,
  SentError,
  ThreadLimits,
  ThreadLoadOptions,
  Work,
} from "./thread/protocol.ts";

/** The server's end of the line to a thread: a worker, or in tests a message port. */
export interface Thread {
  postMessage(request: Request): void;
  on(event: "message", listener: (reply: Reply) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  terminate(): unknown;
}

/** Who hears what comes of a request. */
export interface WorkListener {
  /** Its first text was begun. */
  begun(): void;
  event(event: ChoiceEvent): void;
  /** Nothing more will come. */
  failed(error: Error): void;
}

/** What the host tells besides. */
export interface HostListener {
  warning(text: string): void;
  load(load: Load): void;
  /** The thread has ended, and another one is being started. */
  restarting(error: Error): void;
  restarted(): void;
}

export interface HostOptions {
  readonly where: string;
  readonly options: ThreadLoadOptions;
  readonly limits: ThreadLimits;
  readonly startThread?: (() => Thread) | undefined;
}

/** A thread that ended is started again after so long, and after twice as long each time that it cannot load the model. */
const FIRST_RESTART_MS = 500;
const LAST_RESTART_MS = 60_000;

/** The model's thread ended while it was needed. */
export class ThreadEndedError extends Error {
  override readonly name = "ThreadEndedError";
}

/** A request's work, as the server sees it. */
interface Job {
  readonly listener: WorkListener;
  /** Texts that have not ended. */
  open: number;
  begun: boolean;
}

/** The thread that has the model. If it ends, what it was doing fails, and another one is started. */
export class ModelHost {
  readonly #given: HostOptions;
  readonly #listener: HostListener;
  readonly #jobs = new Map<number, Job>();
  #thread: Thread | undefined;
  #latest = 0;
  #loaded: LoadedModel | undefined;
  #failure: Error | undefined;
  #closed = false;
  #restart: NodeJS.Timeout | undefined;

  private constructor(given: HostOptions, listener: HostListener) {
    this.#given = given;
    this.#listener = listener;
  }

  /** Starts a thread. Resolves once it has loaded the model; throws what kept it from that. */
  static async start(given: HostOptions, listener: HostListener): Promise<ModelHost> {
    const host = new ModelHost(given, listener);
    await host.#open();
    return host;
  }

  get loaded(): LoadedModel {
    return this.#loaded!;
  }

  /** Why nothing can be done now; undefined if all is well. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Requests that have not ended. */
  get open(): number {
    return this.#jobs.size;
  }

  /** Requests of which nothing was begun yet. */
  get waiting(): number {
    let waiting = 0;
    for (const { begun } of this.#jobs.values()) if (!begun) waiting++;
    return waiting;
  }

  /** Begins a request's work. Returns a function that ends it: nothing is told of it any more. */
  begin(work: Work, listener: WorkListener): () => void {
    const id = ++this.#latest;
    this.#jobs.set(id, { listener, open: work.prompts.length * work.samples, begun: false });
    this.#thread!.postMessage({ type: "begin", id, work });
    return () => {
      if (this.#jobs.delete(id)) this.#thread?.postMessage({ type: "cancel", id });
    };
  }

  /** Ends the requests that still wait. */
  failWaiting(error: Error): void {
    for (const [id, { begun, listener }] of [...this.#jobs]) {
      if (begun) continue;
      this.#jobs.delete(id);
      this.#thread?.postMessage({ type: "cancel", id });
      listener.failed(error);
    }
  }

  /** Ends the thread, and with it what it was doing. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    await this.#thread?.terminate();
    this.#failAll(new ThreadEndedError("the server was closed"));
  }

  async #open(): Promise<void> {
    const { where, options, limits, startThread = startModelThread } = this.#given;
    const thread = startThread();
    await new Promise<void>((resolve, reject) => {
      thread.on("message", (reply) => {
        if (reply.type === "loaded") {
          this.#thread = thread;
          this.#loaded = reply;
          if (reply.notice !== undefined) this.#listener.warning(reply.notice);
          resolve();
        } else if (reply.type === "unloadable") {
          void thread.terminate();
          reject(receivedError(reply.error));
        } else {
          this.#receive(reply);
        }
      });
      thread.on("error", (cause) => {
        const error = new ThreadEndedError(`the model's thread failed: ${cause.message}`, { cause });
        reject(error);
        this.#ended(thread, error);
      });
      thread.on("exit", (code) => {
        const error = new ThreadEndedError(`the model's thread ended (exit code ${code})`);
        reject(error);
        this.#ended(thread, error);
      });
      thread.postMessage({ type: "load", where, options, limits });
    });
  }

  #receive(reply: Reply): void {
    switch (reply.type) {
      case "warning":
        this.#listener.warning(reply.text);
        break;
      case "begun": {
        const job = this.#jobs.get(reply.id);
        if (!job) return;
        job.begun = true;
        job.listener.begun();
        break;
      }
      case "pass":
        for (const event of reply.events) this.#pass(event);
        this.#listener.load(reply.load);
        break;
      case "failed": {
        const job = this.#jobs.get(reply.id);
        this.#jobs.delete(reply.id);
        job?.listener.failed(receivedError(reply.error));
      }
    }
  }

  #pass(event: ChoiceEvent): void {
    const job = this.#jobs.get(event.id);
    if (!job) return; // it was ended meanwhile
    if (event.finish !== undefined && --job.open === 0) this.#jobs.delete(event.id);
    job.listener.event(event);
  }

  #ended(thread: Thread, error: Error): void {
    if (this.#thread !== thread || this.#closed) return;
    this.#thread = undefined;
    this.#failure = error;
    this.#failAll(error);
    this.#listener.load({ texts: 0, cacheBytes: 0 });
    this.#listener.restarting(error);
    this.#restartAfter(FIRST_RESTART_MS);
  }

  #restartAfter(delay: number): void {
    this.#restart = setTimeout(async () => {
      try {
        await this.#open();
        if (this.#closed) return void this.#thread?.terminate();
        this.#failure = undefined;
        this.#listener.restarted();
      } catch (error) {
        if (this.#closed) return;
        this.#failure = error as Error;
        this.#listener.restarting(error as Error);
        this.#restartAfter(Math.min(2 * delay, LAST_RESTART_MS));
      }
    }, delay);
  }

  #failAll(error: Error): void {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const { listener } of jobs) listener.failed(error);
  }
}

/** Starts a worker that runs model-thread.ts. */
function startModelThread(): Thread {
  return new Worker(new URL("./thread/model-thread.js", import.meta.url), { execArgv: [], name: "gpt2-ts model" });
}

function receivedError({ name, message, stack, option }: SentError): Error {
  const error =
    option === undefined
      ? Object.assign(new Error(message), { name })
      : new OptionError(option, message.slice(`${option}: `.length));
  if (stack !== undefined) error.stack = stack;
  return error;
}
