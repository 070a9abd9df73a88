import { EventEmitter } from "node:events";
import { MessageChannel } from "node:worker_threads";
import type { Thread } from "../../src/model-host.ts";
import type { Request } from "../../src/thread/protocol.ts";
import { type Line, serveModel } from "../../src/thread/serve-model.ts";

/** A thread that runs the sources in this thread: messages are cloned as between threads. */
export interface InProcess extends Thread {
  /** What it was sent. */
  readonly received: Request[];
  /** Ends it as a crash would. */
  crash(): void;
}

export function inProcess(): InProcess {
  const { port1, port2 } = new MessageChannel();
  const received: Request[] = [];
  const line: Line = {
    postMessage: (reply) => port2.postMessage(reply),
    on: (event, listener) =>
      port2.on(event, (request: Request) => {
        received.push(request);
        listener(request);
      }),
  };
  serveModel(line);
  const ends = new EventEmitter();
  return {
    received,
    postMessage: (request) => port1.postMessage(request),
    on: (event: string, listener: (value: never) => void) =>
      (event === "message" ? port1 : ends).on(event, listener as () => void),
    terminate: () => port1.close(),
    crash: () => {
      port1.close();
      ends.emit("exit", 1);
    },
  };
}
