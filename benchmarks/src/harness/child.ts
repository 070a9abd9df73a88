/** An engine in a process of its own, which works only on request. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A request to a child names a method of the object it serves; the reply carries its result or its error. */
interface Request {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

type Reply = {
  readonly id: number;
  /** Processor seconds that the child has used since it started. */
  readonly cpuSeconds: number;
} & ({ readonly result: unknown } | { readonly error: string });

/** The methods a child can be asked for, all asynchronous. */
export type Served = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/** A failure inside a child, or the end of the child itself. */
export class ChildError extends Error {
  override readonly name = "ChildError";
  readonly child: string;

  constructor(child: string, detail: string) {
    super(`${child}: ${detail}`);
    this.child = child;
  }
}

export interface ChildOptions {
  /** The module to run, as a URL next to the caller's `import.meta.url`. */
  readonly module: URL;
  readonly args: readonly string[];
  /** The Node.js binary to run it on. */
  readonly node: string;
}

/** The parent's end: requests go out one at a time. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 0;
  #cpuSeconds = 0;
  #ended: string | undefined;

  constructor(name: string, { module, args, node }: ChildOptions) {
    this.name = name;
    this.#process = fork(fileURLToPath(module), args, { execPath: node, execArgv: [], serialization: "advanced" });
    this.#process.on("message", (reply: Reply) => this.#settle(reply));
    this.#process.on("error", (error) => this.#fail(error.message));
    this.#process.on("exit", (code, signal) => this.#fail(`ended with ${signal ?? `status ${code}`}`));
  }

  /** Processor seconds that the child had used when it last replied. */
  get cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  /** Calls a method of the object the child serves. @throws ChildError with the child's own message. */
  call<Result>(method: string, ...args: readonly unknown[]): Promise<Result> {
    const id = this.#nextId++;
    return new Promise<Result>((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(new ChildError(this.name, this.#ended));
        return;
      }
      this.#pending.set(id, { resolve: (value) => resolve(value as Result), reject });
      this.#process.send({ id, method, args } satisfies Request);
    });
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const exited = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL"); // it has nothing to save, and engines have threads that survive SIGTERM
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #settle(reply: Reply): void {
    this.#cpuSeconds = reply.cpuSeconds;
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ("error" in reply) waiting?.reject(new ChildError(this.name, reply.error));
    else waiting?.resolve(reply.result);
  }

  #fail(detail: string): void {
    this.#ended = detail;
    for (const { reject } of this.#pending.values()) reject(new ChildError(this.name, detail));
    this.#pending.clear();
  }
}

/**
 * The child's end: answers requests with the methods of `served`, one after the other. `othersCpuSeconds` returns what
 * processes that it started have used.
 */
export function serve(served: Served, othersCpuSeconds: () => Promise<number> = async () => 0): void {
  let last = Promise.resolve();
  process.on("message", (request: Request) => {
    last = last.then(async () => {
      const reply = await answer(served, request);
      const cpuSeconds = reply.cpuSeconds + (await othersCpuSeconds());
      process.send?.({ ...reply, cpuSeconds });
    });
  });
  process.on("disconnect", () => process.exit(0));
}

async function answer(served: Served, { id, method, args }: Request): Promise<Reply> {
  try {
    const action = served[method];
    if (action === undefined) throw new TypeError(`there is no method ${method}`);
    const result = await action(...(args as never[]));
    return { id, cpuSeconds: ownCpuSeconds(), result };
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { id, cpuSeconds: ownCpuSeconds(), error: detail };
  }
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
