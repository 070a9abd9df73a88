import { WorkerError } from "./worker-error.ts";

/** A worker, a page's or one of `node:worker_threads`; in tests also a message port. */
export interface WorkerLike {
  postMessage(message: unknown, transfer?: never): void;
  terminate(): unknown;
}

/** One end of the line between two threads. */
export interface ThreadPort {
  send(message: unknown, transfer?: readonly ArrayBufferLike[]): void;
  /** @param onFailure is called when nothing will come any more */
  listen(onMessage: (message: unknown) => void, onFailure?: (error: WorkerError) => void): void;
}

interface NodeEmitter {
  on(event: string, listener: (value: never) => void): unknown;
}

interface Poster {
  postMessage(message: unknown, transfer: readonly ArrayBufferLike[]): void;
}

/** The line that leads through a worker, or from inside one to whoever started it. */
export function portOf(target: object): ThreadPort {
  return {
    send: (message, transfer = []) => (target as Poster).postMessage(message, transfer),
    listen: (onMessage, onFailure = () => {}) => {
      if ("on" in target) listenInNode(target as NodeEmitter, onMessage, onFailure);
      else listenInPage(target as EventTarget, onMessage, onFailure);
    },
  };
}

function listenInNode(
  target: NodeEmitter,
  onMessage: (message: unknown) => void,
  onFailure: (error: WorkerError) => void,
): void {
  target.on("message", onMessage);
  target.on("messageerror", (cause: Error) => onFailure(new WorkerError(unreadable(cause), { cause })));
  target.on("error", (cause: Error) => onFailure(new WorkerError(`the worker failed: ${cause.message}`, { cause })));
  target.on("exit", (code: number) => onFailure(new WorkerError(`the worker ended (exit code ${code})`)));
}

function listenInPage(
  target: EventTarget,
  onMessage: (message: unknown) => void,
  onFailure: (error: WorkerError) => void,
): void {
  target.addEventListener("message", (event) => onMessage((event as MessageEvent).data));
  target.addEventListener("messageerror", () => onFailure(new WorkerError(unreadable())));
  target.addEventListener("error", (event) => {
    event.preventDefault(); // it is told to whoever waits; Deno would end the program as well
    const { message, error: cause } = event as ErrorEvent;
    // There is no message when the worker could not be started at all.
    const reason = message ? `the worker failed: ${message}` : NOT_STARTED;
    onFailure(new WorkerError(reason, cause ? { cause } : undefined));
  });
}

const NOT_STARTED =
  "the worker could not be started: its file gpt2-thread.js was not found beside the code that starts it, or a " +
  "Content-Security-Policy forbids it (worker-src); the option `worker` takes one that you start yourself";

function unreadable(cause?: Error): string {
  return `a message could not be read${cause ? `: ${cause.message}` : ""}`;
}
